"""jupyter console, as a person at a terminal uses it."""

import os
import re
import subprocess
import sys

import pexpect
import pytest

from holt import FIRST_CELL

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
REPLY = 120  # seconds for an answer, on a busy machine


class Terminal:
    """A console and what it shows, without colours and cursor movements."""

    def __init__(self, folder):
        self.child = pexpect.spawn(
            sys.executable, ["-m", "jupyter", "console", "--kernel", "holt"], cwd=str(folder), encoding="utf-8", timeout=REPLY,
            env={**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}, dimensions=(50, 200), echo=False,
        )  # fmt: skip
        self.shown = ""

    def wait(self, pattern, timeout=REPLY):
        """Reads on until pattern has come, and returns what stood before it."""
        before = ""
        while not (found := re.search(pattern, self.shown)):
            self.child.expect(r".+", timeout=timeout)
            self.shown = ESCAPE.sub("", self.shown + self.child.match[0])
        before, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return before

    def prompt(self, n, timeout=REPLY):
        return self.wait(rf"In \[{n}\]: ", timeout)

    def type(self, keys):
        self.child.send(keys)


@pytest.fixture
def terminal(installed, tmp_path):
    t = Terminal(tmp_path)
    yield t
    t.child.close(force=True)


def test_console(terminal):
    t = terminal
    t.prompt(1)
    t.type("6 * 7\r")
    t.wait(r"Out\[1\]: 42", timeout=FIRST_CELL)
    t.prompt(2)

    t.type("1 / nothing\r")
    t.wait(r"CompileError.*\n.*cell\[2\]:1:5: undefined: nothing")
    t.prompt(3)

    # A line that is not complete goes on, indented, in the next.
    t.type('fmt.Println("going"); for {\r')
    t.wait(r"\.\.\.: ")
    t.type("}\r")
    t.wait("going\r\n")
    t.child.sendintr()
    t.wait("Interrupted: the cell was interrupted; its values are kept")
    t.prompt(4)

    t.type("strings.ToUpperSpe")
    t.wait("strings.ToUpperSpe")
    for _ in range(20):  # the console gives up soon where gopls takes its time to begin
        t.type("\t")
        try:
            t.wait("cial", timeout=5)  # the terminal is sent what is new
            break
        except pexpect.TIMEOUT:
            continue
    else:
        pytest.fail(f"no completion, but {t.shown!r}")
    t.type("\x03")  # the line is given up

    t.type("strings.ToUpper?\r")
    t.wait("func strings.ToUpper")
    t.prompt(5)

    t.type("\x04")
    t.wait(r"Do you really want to exit")
    t.type("y\r")
    t.child.expect(pexpect.EOF)
    t.child.close()
    assert t.child.exitstatus == 0


def test_jupyter_run(installed, tmp_path):
    """jupyter run passes its files on to the kernel too, as arguments that mean nothing there."""
    cell = tmp_path / "cell.go"
    cell.write_text('fmt.Println("six times seven is", 6*7)\n')
    done = subprocess.run([sys.executable, "-m", "jupyter", "run", "--kernel=holt", cell], capture_output=True, text=True, timeout=FIRST_CELL)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "six times seven is 42\n"
