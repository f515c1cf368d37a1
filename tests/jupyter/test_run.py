"""holt run and holt export, beside what nbconvert and papermill make of the same notebooks."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from holt import FIRST_CELL, HOLT, command


def notebook(path, *cells, language="go", **metadata):
    nb = new_notebook(cells=[c if isinstance(c, dict) else new_code_cell(c) for c in cells])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": language}
    nb.metadata.update(metadata)
    nbformat.write(nb, path)
    return path


def tagged(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)})


def run(*args):
    return command("run", *map(str, args), timeout=FIRST_CELL)


def read(path):
    nb = nbformat.read(path, 4)
    nbformat.validate(nb)
    return nb


def merged(outputs):
    """outputs with streams joined: standard output and error come through two pipes, and which of them is first may differ from run to run."""
    joined = []
    streams = {}  # of the streams that stand together
    for out in outputs:
        out = dict(out)
        if out["output_type"] != "stream":
            joined += [streams[name] for name in sorted(streams)]
            joined.append(out)
            streams = {}
        elif out["name"] in streams:
            streams[out["name"]]["text"] += out["text"]
        else:
            streams[out["name"]] = out
    return joined + [streams[name] for name in sorted(streams)]


def test_same_as_nbconvert(tmp_path):
    source = notebook(
        tmp_path / "n.ipynb",
        new_markdown_cell("# Text"),
        'fmt.Println("out")\nfmt.Fprintln(os.Stderr, "err")\nfmt.Println("out again")\nx := 40',
        "x + 2",
        "",
        'display.Show(display.HTML("<b>bold</b>"), "text")\n[]int{1, 2}',
        'display.Show("gone")\ndisplay.Clear(false)\nfmt.Println("kept")',
        tagged('panic("on purpose")', "raises-exception"),
        tagged("never()", "skip-execution"),
        'import "github.com/janpfeifer/gonb/gonbui"\ngonbui.UpdateHtml("one-id", "first")',
        'gonbui.UpdateHtml("one-id", "second")',
    )
    done = run(source, "-o", tmp_path / "ours.ipynb")
    assert done.returncode == 0, done.stderr
    subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--output", "theirs.ipynb", str(source)],
        check=True, capture_output=True, timeout=FIRST_CELL,
    )
    ours, theirs = read(tmp_path / "ours.ipynb"), read(tmp_path / "theirs.ipynb")
    assert ours.metadata == theirs.metadata
    assert (ours.nbformat, ours.nbformat_minor) == (theirs.nbformat, theirs.nbformat_minor)
    for mine, other in zip(ours.cells, theirs.cells, strict=True):
        assert mine.id == other.id and mine.source == other.source
        assert mine.metadata.keys() == other.metadata.keys(), mine.source
        assert mine.metadata.get("execution", {}).keys() == other.metadata.get("execution", {}).keys()
        if mine.cell_type == "code":
            assert mine.execution_count == other.execution_count
            assert merged(mine.outputs) == merged(other.outputs), mine.source


def test_parameters(tmp_path):
    source = notebook(tmp_path / "n.ipynb", tagged('lr := 0.1\nname := "adam"\nsizes := []float64{}', "parameters"), "fmt.Println(lr/2, name, sizes)")
    out = tmp_path / "runs" / "one.ipynb"
    done = run(source, "-p", "lr=1", "-p", "name=7", "-p", "sizes=[1, 2.5]", "-o", out)
    assert done.returncode == 0, done.stderr
    nb = read(out)
    assert nb.cells[1].metadata.tags == ["injected-parameters"]
    assert nb.cells[2].outputs[0].text == "0.5 7 [1 2.5]\n"
    again = run(out, "-p", "lr=3", "--inplace")
    assert again.returncode == 0, again.stderr
    nb = read(out)
    assert len(nb.cells) == 3 and nb.cells[2].outputs[0].text == "1.5 adam []\n"


def test_a_failing_cell(tmp_path):
    source = notebook(tmp_path / "n.ipynb", 'fmt.Println("before")', 'fmt.Println("in it")\nvar s []int\n_ = s[9]', "1")
    done = run(source)
    assert done.returncode == 1
    assert 'cell 2 of 3 failed: fmt.Println("in it")' in done.stderr
    assert "index out of range [9] with length 0" in done.stderr
    assert re.search(r"cell\[2\]:3 +_ = s\[9\]", done.stderr), done.stderr
    assert "\x1b" not in done.stderr
    nb = read(tmp_path / "n.out.ipynb")
    assert [o.output_type for o in nb.cells[1].outputs] == ["stream", "error"]
    assert nb.cells[0].outputs[0].text == "before\n" and not nb.cells[2].outputs
    assert run(source, "--allow-errors", "-q").stderr == ""


def test_a_compile_error_shows_its_line(tmp_path):
    done = run(notebook(tmp_path / "n.ipynb", "x := 1\ny := undefinedName"))
    assert done.returncode == 1
    assert "cell[1]:2:6: undefined: undefinedName" in done.stderr
    assert "    2 | y := undefinedName" in done.stderr


def test_timeout(tmp_path):
    done = run(notebook(tmp_path / "n.ipynb", "for {\n}"), "--timeout", "2")
    assert done.returncode == 1
    assert "Timeout: the cell ran longer than 2s" in done.stderr
    assert read(tmp_path / "n.out.ipynb").cells[0].outputs[-1].ename == "Timeout"


def test_interrupt_saves(tmp_path):
    source = notebook(tmp_path / "n.ipynb", 'fmt.Println("begun")\nfor {\n\ttime.Sleep(time.Millisecond)\n}', "1")
    flag = tmp_path / "running"
    nb = nbformat.read(source, 4)
    nb.cells[0].source = f'os.WriteFile({str(flag)!r}, nil, 0o600)\n'.replace("'", '"') + nb.cells[0].source
    nbformat.write(nb, source)
    process = subprocess.Popen([HOLT, "run", str(source)], stderr=subprocess.PIPE, text=True, env=os.environ)
    end = time.monotonic() + FIRST_CELL
    while not flag.exists():
        assert time.monotonic() < end and process.poll() is None, "the cell does not begin"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1 and "Interrupted" in stderr
    outputs = read(tmp_path / "n.out.ipynb").cells[0].outputs
    assert outputs[0].text == "begun\n" and outputs[-1].ename == "Interrupted"


def test_the_last_state_of_a_display_is_saved(tmp_path):
    source = notebook(
        tmp_path / "n.ipynb",
        'plot := &display.LivePlot{Title: "t"}\ngo func() {\n\tfor i := range 20 {\n\t\tplot.Add("a", float64(i), float64(i))\n\t\ttime.Sleep(50 * time.Millisecond)\n\t}\n}()\nplot.Add("a", 0, 0)',
    )
    done = run(source)
    assert done.returncode == 0, done.stderr
    assert "19" in str(read(tmp_path / "n.out.ipynb").cells[0].outputs[0].data["text/plain"])


def test_a_training_that_is_left_to_run_ends_first(tmp_path):
    source = notebook(
        tmp_path / "n.ipynb",
        """train := vision.CIFAR10{Train: true, OrSample: true}.Open()
few := dl.Subset{Dataset: train, Indices: []int{0, 1, 2, 3, 4, 5, 6, 7}}
model := dl.Build(dl.Sequential{dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{4, 3, 32, 32})
run := dl.Start(model, dl.Training{Data: dl.DataLoader{Dataset: few, BatchSize: 4}, Epochs: 3, Optimizer: dl.SGD{LR: 0.01}})
display.Live(run)""",
    )
    done = run(source)
    assert done.returncode == 0, done.stderr
    state, curves, *_ = (o.data["text/plain"] for o in read(tmp_path / "n.out.ipynb").cells[0].outputs)
    assert "done" in state and "no points yet" not in curves, (state, curves)


def test_html(tmp_path):
    source = notebook(tmp_path / "n.ipynb", new_markdown_cell("# The title\n<script>alert(1)</script>"), 'fmt.Println("<printed>")')
    done = run(source, "--html", "-o", tmp_path / "page.ipynb")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "&lt;printed&gt;" in page and "<script" not in page and "The title" in page


def test_messages(tmp_path):
    text = tmp_path / "text.ipynb"
    text.write_text("package main\n")
    old = tmp_path / "old.ipynb"
    old.write_text('{"nbformat": 3, "worksheets": []}')
    python = notebook(tmp_path / "python.ipynb", "1", language="python")
    good = notebook(tmp_path / "good.ipynb", "1")
    for args, message in [
        ([tmp_path / "none.ipynb"], "none.ipynb: there is no such file, want a notebook (.ipynb)"),
        ([text], "text.ipynb: not a notebook of nbformat 4: it cannot be read as JSON"),
        ([old], "old.ipynb: not a notebook of nbformat 4 but of nbformat 3; convert it with: jupyter nbconvert --to notebook --nbformat 4"),
        ([python], "python.ipynb: it is written in python, want Go"),
        ([good, "-p", "lr"], "-p lr: it has no value, want name=value, such as -p lr=0.1"),
        ([good, "-p", "1x=2"], '-p 1x=2: "1x" cannot name a variable of Go'),
        ([good, "--timeout", "soon"], '"soon" is no time, want seconds, or a duration such as 90s or 2h'),
    ]:
        done = run(*args)
        assert done.returncode != 0 and message in done.stderr, done.stderr


def test_standard_output(tmp_path):
    done = run(notebook(tmp_path / "n.ipynb", "6 * 7"), "-o", "-")
    assert done.returncode == 0, done.stderr
    assert nbformat.reads(done.stdout, 4).cells[0].outputs[0].data["text/plain"] == "42"
    assert not (tmp_path / "n.out.ipynb").exists()


def test_export(tmp_path):
    source = notebook(tmp_path / "n.ipynb", "x := 6", "func times(n int) int { return x * n }\ntimes(7)")
    done = command("export", str(source), "-o", str(tmp_path / "program"), timeout=FIRST_CELL)
    assert done.returncode == 0, done.stderr
    ran = subprocess.run(["go", "run", "."], cwd=tmp_path / "program", capture_output=True, text=True, timeout=FIRST_CELL)
    assert ran.stdout == "42\n", ran.stderr


def job(*args, processes=2):
    """holt run as processes of one job, started with torchrun's variables. Returns what each has as exit status, standard output and error."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = dict(os.environ, WORLD_SIZE=str(processes), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    started = [
        subprocess.Popen([HOLT, "run", *map(str, args)], env=dict(env, RANK=str(rank)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for rank in range(processes)
    ]
    try:
        return [(out, err, p.returncode) for p in started for out, err in [p.communicate(timeout=FIRST_CELL)]]
    finally:
        for p in started:
            p.kill()


TRAIN = """model := dl.Build(dl.Linear{Out: 1}, dl.Shape{6, 2})
step := dl.TrainStep(model, dl.MSELoss{}, dl.SGD{LR: 0.1}).With(dl.Options{Devices: dl.All})
x := dl.FromSlice([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2}, 6, 2).Scale(0.1)
y := dl.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 6, 1)
for range 5 {
    r := step.Run(dl.Batch{Inputs: x, Labels: y})
    fmt.Printf("%.4f\\n", r.Loss)
}
model.Save("w.safetensors")"""


def test_processes_of_a_job(tmp_path):
    """Together they find what one process finds, and that of rank 0 writes it."""
    source = notebook(tmp_path / "n.ipynb", TRAIN, "dl.WorldSize()")
    assert run(source, "-o", tmp_path / "one.ipynb").returncode == 0
    (_, said, status), (out, err, other) = job(source, "-o", tmp_path / "two.ipynb")
    assert (status, other) == (0, 0), (said, err)
    assert "holt: 2 processes run this notebook together, by torchrun; this one, of rank 0, writes it" in said
    assert (out, err) == ("", "")
    one, two = read(tmp_path / "one.ipynb"), read(tmp_path / "two.ipynb")
    assert [o.text for o in two.cells[0].outputs if o.output_type == "stream"] == [o.text for o in one.cells[0].outputs if o.output_type == "stream"]
    assert [nb.cells[1].outputs[0]["data"]["text/plain"] for nb in (one, two)] == ["1", "2"]
    assert (tmp_path / "w.safetensors").exists()


def test_process_that_fails(tmp_path):
    """Its error comes with its number, and the others say which one it was."""
    source = notebook(tmp_path / "n.ipynb", 'if dl.Rank() == 1 { panic("no data here") }', TRAIN)
    (_, first, status), (_, second, other) = job(source)
    assert (status, other) == (1, 1)
    assert re.search(r"^\[1\] .*no data here", second, re.M), second
    assert re.search(r"rank 1( of 2)? (is lost|has not come)", first), first
