"""gotest.py TITLE: reads go test -json, prints a line a package, what failed in full, and what was skipped and why.

The last line counts; the exit status is 1 when anything failed. FILE in HOLT_TEST_COUNTS gets that line too.
"""
import collections
import json
import os
import re
import sys

from skips import note

title = sys.argv[1]
output = collections.defaultdict(list)  # (package, test) -> what it printed
failed, skipped = [], []
passed = packages = bad_packages = 0
seconds = 0.0

for line in sys.stdin:
    try:
        event = json.loads(line)
    except ValueError:
        print(line, end="")
        continue
    package = event.get("Package") or event.get("ImportPath", "")
    test, action = event.get("Test"), event["Action"]
    if action in ("output", "build-output"):
        output[package, test].append(event["Output"])
    elif test and action == "pass":
        passed += 1
        output.pop((package, test), None)
    elif test and action == "skip":
        why = [s.strip() for s in output.pop((package, test), []) if not re.match(r"\s*(===|---)", s)]
        skipped.append(re.sub(r"^\S+\.go:\d+: ", "", " ".join(why)) or "no reason given")
        note(f"{package}.{test}", skipped[-1])
    elif test and action == "fail":
        failed.append((package, test))
    elif action == "build-fail":
        print("".join(output.pop((package, None), [])), end="")
    elif action in ("pass", "fail", "skip") and not test:
        packages += 1
        seconds += event.get("Elapsed", 0)
        if action == "fail":
            bad_packages += 1
            for key in [k for k in output if k[0] == package]:
                print("".join(output[key]), end="")
        if action != "skip":
            word = "ok  " if action == "pass" else "FAIL"
            print(f"{word} {package} {event.get('Elapsed', 0):.1f} s", flush=True)
        for key in [k for k in output if k[0] == package]:
            del output[key]

for why, n in collections.Counter(skipped).most_common():
    print(f"skipped {n}: {why}")
for package, test in failed:
    print(f"failed: {package} {test}")
closing = f"{title}: {passed} passed, {len(failed)} failed, {len(skipped)} skipped in {packages} packages, {seconds:.0f} s"
if bad_packages and not failed:
    closing += f"; {bad_packages} packages did not build or ended early"
print(closing, flush=True)
if os.environ.get("HOLT_TEST_COUNTS"):
    with open(os.environ["HOLT_TEST_COUNTS"], "a") as f:
        f.write(closing + "\n")
sys.exit(1 if failed or bad_packages else 0)
