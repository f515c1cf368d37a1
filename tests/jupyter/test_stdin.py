"""Cells that read standard input, with a person and without one."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

import holt
from test_batch import notebook

SCANLN = 'var name string\nfmt.Print("name? ")\nfmt.Scanln(&name)\nfmt.Println("got", name)'


def answer(kernel, msg_id, *lines):
    """Answers the questions of a cell, and returns their prompts with what the cell ran to."""
    prompts = []
    for line in lines:
        question = kernel.client.get_stdin_msg(timeout=holt.CELL)
        assert question["msg_type"] == "input_request"
        assert question["parent_header"]["msg_id"] == msg_id
        assert question["content"]["password"] is False
        prompts.append(question["content"]["prompt"])
        kernel.client.input(line)
    return prompts, kernel.finish(msg_id)


@pytest.mark.parametrize(
    "code, lines, prompts, printed",
    [
        (SCANLN, ["otter"], ["name? "], "name? got otter\n"),
        ("var a, b int\nfmt.Scan(&a, &b)\nfmt.Println(a + b)", ["3", "4"], ["", ""], "7\n"),
        (
            'import "bufio"\nscanner := bufio.NewScanner(os.Stdin)\nfor scanner.Scan() {\n'
            'if scanner.Text() == "" {\nbreak\n}\nfmt.Println("<" + scanner.Text() + ">")\n}',
            ["a", "b", ""],
            ["", "", ""],
            "<a>\n<b>\n",
        ),
        ("scanner.Scan()\nfmt.Println(scanner.Text())", ["kept"], [""], "kept\n"),
        (
            'import "os/exec"\ncmd := exec.Command("bash", "-c", "read -p \'who? \' a; echo hello $a")\n'
            "cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout\ncmd.Run()",
            ["badger"],
            [""],
            "hello badger\n",
        ),
    ],
)
def test_asked(kernel, code, lines, prompts, printed):
    msg_id = kernel.start(code, allow_stdin=True)
    asked, ran = answer(kernel, msg_id, *lines)
    assert ran.ok, ran.trace
    assert asked == prompts and ran.stdout == printed and ran.stderr == ""


def test_interrupt_of_a_question(kernel):
    kernel.do("before := 42")
    msg_id = kernel.start(SCANLN, allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=holt.CELL)
    kernel.manager.interrupt_kernel()
    ran = kernel.finish(msg_id, 10)
    assert ran.ename == "Interrupted" and ran.evalue == "the cell was interrupted; its values are kept"
    # The reader takes nothing of what the next cells ask for.
    for code in [SCANLN, 'import "github.com/janpfeifer/gonb/gonbui"\nvar name string\ngonbui.RequestInput("name? ", false)\nfmt.Scanln(&name)\nfmt.Println("got", name)']:
        asked, ran = answer(kernel, kernel.start(code, allow_stdin=True), "ans1")
        assert asked == ["name? "] and "got ans1\n" in ran.stdout, ran
    assert kernel.do("before").result == "42"


def test_without_a_person(kernel):
    ran = kernel.do("var s string\nn, err := fmt.Scanln(&s)\nn, err = fmt.Scanln(&s)\nfmt.Println(n, err)", allow_stdin=False)
    assert ran.stdout == "0 EOF\n"
    assert ran.stderr == (
        "holt: this cell reads standard input and finds its end: this notebook's client does not take input "
        "(allow_stdin is false); run it in JupyterLab or jupyter console\n"
    )
    assert not kernel.client.stdin_channel.msg_ready()


CELLS = ['var s string\nn, err := fmt.Scanln(&s)\nfmt.Println(n, err)', 'import "bufio"\nbufio.NewScanner(os.Stdin).Scan()']


def test_nbclient(tmp_path):
    nb = notebook(*CELLS)
    NotebookClient(nb, timeout=holt.FIRST_CELL, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert "0 EOF\n" in [o.get("text") for o in nb.cells[0].outputs]
    assert nb.cells[1].outputs[-1].data["text/plain"] == "false"


def test_nbconvert_ends(tmp_path):
    nbformat.write(notebook(*CELLS), tmp_path / "in.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "out.ipynb", "in.ipynb"],
        cwd=tmp_path, capture_output=True, text=True, timeout=holt.FIRST_CELL,
    )
    assert done.returncode == 0, done.stderr
    assert "StdinNotImplementedError" not in done.stderr
    assert "finds its end" in (tmp_path / "out.ipynb").read_text()


def test_holt_run_ends(tmp_path):
    nbformat.write(notebook(*CELLS), tmp_path / "in.ipynb")
    done = holt.command("run", str(tmp_path / "in.ipynb"), timeout=holt.FIRST_CELL)
    assert done.returncode == 0, done.stderr
    assert "finds its end" in (tmp_path / "in.out.ipynb").read_text()
