"""names.py [COMMIT...]: counts what package dl exports at each commit, HEAD when none is named: names at the top
level by kind, and the methods of the types that people use most. It reads the text of the files."""
import re
import subprocess
import sys


def git(*args):
    return subprocess.run(["git", *args], check=True, capture_output=True, text=True).stdout


def count(commit):
    found = {"const": set(), "var": set(), "func": set(), "type": set(), "method": {}}
    for path in git("ls-tree", "--name-only", commit, "dl/").split():
        if not path.endswith(".go") or path.endswith("_test.go"):
            continue
        group = None
        for line in git("show", f"{commit}:{path}").split("\n"):
            if m := re.match(r"(const|var|type) \($", line):
                group = m[1]
            elif line == ")":
                group = None
            elif m := re.match(r"(const|var|type|func) ([A-Z]\w*)", line):
                found[m[1]].add(m[2])
            elif m := re.match(r"func \(\w* ?\*?(\w+)(?:\[\w+\])?\) ([A-Z]\w*)", line):
                found["method"].setdefault(m[1], set()).add(m[2])
            elif group and (m := re.match(r"\t([A-Z]\w*)\b(?!:)", line)):
                found[group].add(m[1])
    return found


for commit in sys.argv[1:] or ["HEAD"]:
    c = count(commit)
    top = [f"{kind} {len(c[kind])}" for kind in ("const", "var", "func", "type")]
    of = [f"{t} {len(c['method'].get(t, ()))}" for t in ("Node", "Tensor", "Model", "Step", "Run", "DataLoader", "Optim")]
    total = sum(len(c[kind]) for kind in ("const", "var", "func", "type"))
    print(git("log", "-1", "--format=%h", commit).strip(), f"top level {total}:", ", ".join(top) + "; methods:", ", ".join(of))
