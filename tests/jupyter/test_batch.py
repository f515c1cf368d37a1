"""Notebooks run without a person: nbclient, nbconvert, papermill."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from holt import FIRST_CELL


def notebook(*cells):
    nb = new_notebook(cells=[new_code_cell(c) for c in cells])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    return nb


def test_nbclient(tmp_path):
    nb = notebook("x := 20", 'fmt.Println("hi")\nx + 22')
    NotebookClient(nb, timeout=FIRST_CELL, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert nb.cells[1].outputs[0].text == "hi\n"
    assert nb.cells[1].outputs[1].data["text/plain"] == "42"
    assert nb.cells[1].execution_count == 2


def test_nbclient_stops_at_an_error(tmp_path):
    nb = notebook('panic("stop here")', "1")
    with pytest.raises(CellExecutionError, match="stop here"):
        NotebookClient(nb, timeout=FIRST_CELL, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert nb.cells[0].outputs[-1].output_type == "error"
    assert nb.cells[1].execution_count is None


def test_nbclient_goes_on_where_errors_are_allowed(tmp_path):
    nb = notebook('panic("stop here")', "1 + 1")
    NotebookClient(nb, timeout=FIRST_CELL, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert nb.cells[1].outputs[0].data["text/plain"] == "2"


def test_updates_reach_the_cell_of_the_display(tmp_path):
    nb = notebook(
        'import "github.com/janpfeifer/gonb/gonbui"\ngonbui.UpdateHtml("one-id", "first")',
        'gonbui.UpdateHtml("one-id", "second")',
    )
    NotebookClient(nb, timeout=FIRST_CELL, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [o for o in nb.cells[0].outputs if o.output_type == "display_data"]
    assert len(shown) == 1 and "second" in shown[0].data["text/html"]


def test_nbconvert(tmp_path):
    source = tmp_path / "n.ipynb"
    nbformat.write(notebook("6 * 7"), source)
    subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--execute", str(source)],
        check=True, capture_output=True, timeout=FIRST_CELL,
    )
    assert "42" in (tmp_path / "n.html").read_text()


def test_papermill(tmp_path):
    source, out = tmp_path / "n.ipynb", tmp_path / "out.ipynb"
    nbformat.write(notebook("6 * 7"), source)
    subprocess.run(
        [sys.executable, "-m", "papermill", "--cwd", str(tmp_path), str(source), str(out)],
        check=True, capture_output=True, timeout=FIRST_CELL,
    )
    assert nbformat.read(out, 4).cells[-1].outputs[0].data["text/plain"] == "42"
