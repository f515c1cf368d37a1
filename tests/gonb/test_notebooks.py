"""GoNB's tutorial and the notebooks of its own tests, unchanged: they run, and
what their cells show is what the notebooks hold, but for DIFFERENCES.

Those that need a page are run in JupyterLab by tests/browser/test_gonb.py.
"""

import re
import shutil
import warnings

import pytest

import holt
import notebooks

# Why a cell shows something else here.
WORDS = "commands of Holt answer in words of their own"
IDLE = "cells are compiled for a process that runs, which has no coverage; that is said once"
ONCE = "init functions run once, with the cell that declares them, as what they set up lives"
LIVE = "values live from cell to cell"
PLACES = "errors name places in cells, and are not HTML"
MACHINE = "of the machine that it ran on"
RANDOM = "random numbers; rand.Seed does nothing in programs of Go 1.24 or later"
TESTS = "tests run in the notebook's own process, which prints its name once, and is called notebook"
MARGAID = "a newer version of the plotting library is required by GoMLX"
PAGE = "no browser in this test"

GOFLAGS = (IDLE, [r'stdout: %goflags=\["-?-cover".*', r"stderr: holt: %goflags: .* is for %wasm only: .*"])
COVERDIR = (IDLE + "; " + MACHINE, [r'stdout: %goflags=\["--cover" "--covermode=set"\]\nGOCOVERDIR=.*', r"stderr: holt: %goflags: .*"])
WORKFIX = (WORDS, [r"stdout: go.mod: replace github.com/janpfeifer/gonb => .*"])

# Notebook → cell → reason, and patterns for what it shows here.
DIFFERENCES = {
    "tests/bash_script": {2: (MACHINE, [r"stdout: /.*\nTMP_DIR\n/.*\n/.*gonb@.*"])},
    "tests/capture": {},
    "tests/errors": {
        1: (PLACES, ["error: CompileError: .*\ncell\\[2\\]:2:26: syntax error: missing ',' before newline in argument list(.|\n)*"]),
        2: (PLACES, [r"stderr: 2.* Stuck in Switzerland: (.|\n)*cell\[3\]:4(.|\n)*cell\[3\]:8(.|\n)*", r"error: Exit: the cell ended itself by log.Fatal, with exit status 1; its values are kept(.|\n)*"]),
    },
    "tests/functions": {0: GOFLAGS},
    "tests/goflags": {
        1: GOFLAGS,
        6: (WORDS, [r"stdout: GOCOVERDIR=/tmp/gonb_examples_test_goflags_cover"]),
        9: (IDLE, [r"stderr: warning: no applicable files found in input directories"]),
        11: (WORDS, [r"stdout: everything is forgotten; a fresh host process runs"]),
        14: ("main.go is written by Holt", [r"stderr: # gonb_X\n(.|\n)*can inline \(\*Point\)\.ManhattanLen(.|\n)*inlining call to \(\*Point\)\.ManhattanLen(.|\n)*p does not escape(.|\n)*"]),
    },
    "tests/gonbui": {1: COVERDIR, 3: WORKFIX},
    "tests/gotest": {
        0: GOFLAGS,
        **{n: (IDLE, None) for n in (3, 7, 9, 11)},  # None: the same but for the line of coverage
        5: (WORDS, [r"stdout: func    FibonacciA(.|\n)*func    FibonacciB(.|\n)*func    TestA(.|\n)*import  testing .*"]),
        13: (IDLE + "; " + TESTS, [r"stdout: goos: linux\ngoarch: \w+\npkg: notebook\ncpu: X\nBenchmarkFibonacciA32\nBenchmarkFibonacciA32 N T ns/op\nBenchmarkFibonacciB32\nBenchmarkFibonacciB32 N T ns/op\nPASS"]),
        15: (IDLE + "; " + TESTS, [r"stdout: BenchmarkFibonacciA32 N T ns/op\nBenchmarkFibonacciB32 N T ns/op\nPASS"]),
    },
    "tests/gowork": {
        1: GOFLAGS,
        7: (WORDS, [r"stdout: go.mod: replace a.com/a/pkg => /tmp/gonb_tests_gowork_X"]),
        10: (WORDS, [r"stdout: tracked:\n  /tmp/gonb_tests_gowork_X"]),
        12: (WORDS, [r"stdout: nothing is tracked", r"stderr: %untrack: /tmp/gonb_tests_gowork_\.\.\. is not tracked; %track lists what is"]),
    },
    "tests/hello": {0: GOFLAGS},
    "tests/init": {
        0: GOFLAGS,
        2: (ONCE, ["stdout: init_b"]),
        3: (ONCE, ["stdout: init: v0"]),
        4: (ONCE, ["stdout: init: v1"]),
        5: (ONCE, ["stderr: %rm: nothing is called init_a; %list shows what is declared\n%rm: nothing is called init_b; .*"]),
        6: (ONCE, ["stdout: Done"]),
    },
    "tests/input_boxes": {1: COVERDIR, 3: WORKFIX},
    "tests/script": {3: (WORDS, [r"error: Error: %%sh: it stands in the middle of a cell, want it in the first line: .*"])},
    "tests/vartuple": {
        1: (WORDS, [r"stdout: func    tupleFn  \(\) \(x int, y int, z int\)  cell\[1\]\nvar     a(.|\n)*var     c(.|\n)*"]),
        3: ("a and c are variables of their own, though one assignment made them", ["stdout: removed a"]),
    },
    "tests/writefile": {
        0: (WORDS, [r"stdout: wrote /.*/poetry.txt"]),
        1: (WORDS, [r"stdout: appended to /.*/poetry.txt"]),
    },
    "tutorial": {
        11: (LIVE, ["stdout: current startValue=2.000000"]),
        13: (RANDOM, [r"stdout: (\t\.\.\.VeryExpensive\(\) call\.\.\.\n|\.\.\.VeryExpensive\(\) call\.\.\.\n)+NonCachedValue=\d+\n   CachedValue=\d+"]),
        15: (WORDS, ["stdout: removed NonCachedValue\nremoved CachedValue"]),
        28: (RANDOM, [r"text/html: <div><svg (.|\n)*A diagram of sorts 📊 📈(.|\n)*"]),
        30: (MARGAID, [r"text/html: <svg (.|\n)*Animated Sine(.|\n)*</svg>"]),
        34: (RANDOM, [r"text/html: <div><\?xml version(.|\n)*Plotutil example(.|\n)*</svg>\s*</div>"]),
        40: (ONCE, ["stdout: init_b\nmain"]),
        42: (ONCE, ["stderr: %rm: nothing is called init_a; .*\n%rm: nothing is called init_b; .*"]),
        49: (PAGE, [r'text/html: <div id="dom.transient_div_X"></div>', "text/html: what the element holds", r"text/html: <svg (.|\n)*", "text/html: <p>Done.</p>"]),
        52: (MACHINE, [r"stdout: go version go1.X .*\n/.*\ntotal \d+\n(.|\n)*tutorial.ipynb"]),
        54: (MACHINE, [r"stdout: TMP_DIR\ntotal \d+\n(.|\n)*go.mod\n(.|\n)*main.go"]),
        61: (TESTS, [r"stdout: === RUN   TestIncr\n--- PASS: TestIncr \(0.00s\)\ngoos: linux\ngoarch: \w+\npkg: notebook\ncpu: X\nBenchmarkIncr\nBenchmarkIncr N T ns/op\nPASS"]),
        64: (MACHINE, [r"stdout: module gonb_X\n\ngo 1.X\n(.|\n)*replace github.com/janpfeifer/gonb => /.*/Projects/gonb(.|\n)*", r"stderr: holt: packages that cells were compiled with changed: a new host process takes over; .*"]),
        71: (WORDS, [r"stdout: Everything that a cell declares stays(.|\n)*%%writefile (.|\n)*"]),
    },
}  # fmt: skip

ANSWERS = {"tests/input_boxes": ["foo", "bar", "42", "123456"]}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_notebook(name, installed, tmp_path):
    if name == "tests/script" and not shutil.which("bc"):
        pytest.skip("the notebook pipes to bc, which is not installed")
    path, nb = notebooks.copy(name, tmp_path)
    kernel = holt.Kernel(cwd=tmp_path, env=notebooks.environment(tmp_path))
    wrong = []
    try:
        for i, cell, ran in notebooks.run(kernel, nb, ANSWERS.get(name, [])):
            want, got = notebooks.comparable(cell.outputs), notebooks.comparable(notebooks.published(ran))
            if not ran.ok and notebooks.REFUSED.search("".join(got)):
                warnings.warn(f"{name}, cell {i}: not compared, as this machine's module proxy does not give what it imports")
                continue
            if i not in DIFFERENCES[name]:
                same = want == got
            else:
                _, patterns = DIFFERENCES[name][i]
                if patterns is None:
                    same = [re.sub(r"\ncoverage: .*", "", w) for w in want] == got
                else:
                    same = len(patterns) == len(got) and all(map(re.fullmatch, patterns, got))
            if not same:
                wrong.append(f"cell {i}\n{cell.source}\nshows {got}\nwant  {DIFFERENCES[name].get(i, want)}")
    finally:
        kernel.close()
    assert not wrong, "\n\n".join(wrong)
    if name == "tests/writefile":
        text = (tmp_path / "files" / "poetry.txt").read_text()
        assert text.endswith("virou só sentimento.\n\nAdélia Prado\n")
