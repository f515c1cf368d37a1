"""What the tests left out, and whether that was expected.

As a pytest plugin (-p skips) it appends a line for each skipped test to the file in HOLT_TEST_SKIPS, as gotest.py does
for Go's: the test's name, a tab, the reason. As a program, skips.py SKIPS [EXPECTED] prints them by reason, and with
EXPECTED exits with 1 when one is not expected. EXPECTED has a pattern a line, as of a shell, for the name; a comment
says why.
"""
import collections
import fnmatch
import os
import sys


def note(name, why):
    file = os.environ.get("HOLT_TEST_SKIPS")
    if file:
        with open(file, "a") as f:
            f.write(f"{name}\t{' '.join(why.split())}\n")


def note_report(report):
    if report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        note(report.nodeid, why.removeprefix("Skipped: "))


pytest_runtest_logreport = pytest_collectreport = note_report


def patterns(file):
    with open(file) as f:
        lines = [line.split("#")[0].strip() for line in f]
    return [line for line in lines if line]


def main(skips, expected=None):
    with open(skips) as f:
        tests = [line.rstrip("\n").split("\t", 1) for line in f]
    reasons = collections.Counter(why for _, why in tests)
    print(f"skipped: {len(tests)} tests")
    for why, n in reasons.most_common():
        print(f"  {n}: {why}")
    if not expected:
        return 0
    allowed = patterns(expected)
    # The names of parametrized tests hold brackets, which are no patterns.
    new = [(name, why) for name, why in tests if not any(fnmatch.fnmatchcase(name, p.replace("[", "[[]")) for p in allowed)]
    for name, why in new:
        print(f"not in {expected}: {name}: {why}")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
