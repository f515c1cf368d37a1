"""papermill with parameters, by the translator in python/holt_papermill."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillException
from papermill.translators import papermill_translators

from holt import FIRST_CELL

TAGGED = """lr := 0.5 // of the optimizer
epochs := 10
var name string = "// no comment"
const debug = false
layers := []int32{8, 8}
rates := []float64{
	0.1,
}
var best *float64
x == 1
"""


@pytest.fixture
def go():
    # A notebook finds it by its language, whatever its kernel is called.
    return papermill_translators.find_translator("holt", "go")


def test_inspect(go):
    found = go.inspect(new_code_cell(TAGGED))
    assert [(p.name, p.inferred_type_name, p.default, p.help) for p in found] == [
        ("lr", "None", "0.5", "of the optimizer"),
        ("epochs", "None", "10", ""),
        ("name", "string", '"// no comment"', ""),
        ("debug", "None", "false", ""),
        ("layers", "[]int32", "[]int32{8, 8}", ""),
        ("rates", "[]float64", "[]float64{", ""),
    ]
    go.codify({})


@pytest.mark.parametrize(
    "value, code",
    [
        (3, "v := 3"),
        (1 << 63, "var v uint64 = 9223372036854775808"),
        (0.1, "v := 0.1"),
        (1.0, "v := 1.0"),
        (1e-10, "v := 1e-10"),
        (float("inf"), "v := math.Inf(1)"),
        (float("nan"), "v := math.NaN()"),
        (True, "v := true"),
        (None, "var v any"),
        ("a \"b\"\n\t\\ 世界🦦\ufeff", 'v := "a \\"b\\"\\n\\t\\\\ 世界🦦\\ufeff"'),
        ([], "v := []any{}"),
        ([1, 2], "v := []int{1, 2}"),
        ([1, 2.5], "v := []float64{1, 2.5}"),
        ([[1], [2, 3]], "v := [][]int{[]int{1}, []int{2, 3}}"),
        ([1, "a", None, [True]], 'v := []any{1, "a", nil, []bool{true}}'),
        ({"a": 1, "b c": 2}, 'v := map[string]int{"a": 1, "b c": 2}'),
        ({"a": [1], "b": "x"}, 'v := map[string]any{"a": []int{1}, "b": "x"}'),
    ],
)
def test_values(go, value, code):
    assert go.codify({"v": value}) == f"// Parameters\n{code}\n"


def test_declared_types_are_kept(go):
    def codify(**parameters):
        go.inspect(new_code_cell(TAGGED))
        return go.codify(parameters).splitlines()[1:]

    assert codify(lr=1) == ["lr = 1"]  # a float64 stays one
    assert codify(name=7) == ['name = "7"']
    assert codify(debug=True) == ["const debug = true"]
    assert codify(layers=[1]) == ["layers = []int32{1}"]
    assert codify(rates=[1, 2]) == ["rates = []float64{1, 2}"]
    assert codify(other=1) == ["other := 1"]
    assert go.codify({"lr": 1}) == "// Parameters\nlr := 1\n"  # another notebook


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"learning-rate": 1}, "parameter 'learning-rate' cannot name a variable of Go, want letters, digits and _"),
        ({"range": 1}, "parameter 'range' cannot name a variable of Go"),
        ({"n": 1 << 64}, "18446744073709551616 is beyond Go's integers of 64 bits; pass it as a string"),
    ],
)
def test_errors(go, parameters, message):
    with pytest.raises(PapermillException, match=message):
        go.codify(parameters)


def papermill(tmp_path, cells, *args):
    """Runs a notebook, whose first cell is tagged parameters, and returns what its last cell printed."""
    source, out = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    nb = new_notebook(cells=[new_code_cell(c) for c in cells])
    nb.cells[0].metadata["tags"] = ["parameters"]
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, source)
    ran = subprocess.run(
        [sys.executable, "-m", "papermill", "--cwd", str(tmp_path), str(source), str(out), *args],
        capture_output=True, text=True, timeout=FIRST_CELL,
    )
    assert ran.returncode == 0, ran.stderr
    cells = nbformat.read(out, 4).cells
    assert cells[1].metadata["tags"] == ["injected-parameters"]
    return cells[-1].outputs[0].text


def test_papermill(tmp_path):
    shown = papermill(
        tmp_path,
        ['lr := 0.5\nepochs := 1\nname := "none"\nlayers := []int32{8}', 'fmt.Printf("%v %T %v %v %v", lr, lr, epochs, name, layers)'],
        "-p", "lr", "0.1", "-p", "epochs", "3", "-r", "name", "7", "-y", "{layers: [64, 32]}",
    )  # fmt: skip
    assert shown == "0.1 float64 3 7 [64 32]"


def test_papermill_with_every_type(tmp_path):
    values = "{i: 1, f: 2.5, flag: true, s: 'a \"b\" 世界', list: [1, 2.5], mixed: [1, a, null], dict: {a: 1}, deep: {a: {b: [x]}}, nothing: null}"
    shown = papermill(
        tmp_path,
        ["// nothing is declared here", 'fmt.Printf("%#v %#v %#v %#v %#v %#v %#v %#v %#v", i, f, flag, s, list, mixed, dict, deep, nothing)'],
        "-y", values,
    )  # fmt: skip
    assert shown == (
        '1 2.5 true "a \\"b\\" 世界" []float64{1, 2.5} []interface {}{1, "a", interface {}(nil)} '
        'map[string]int{"a":1} map[string]map[string][]string{"a":map[string][]string{"b":[]string{"x"}}} <nil>'
    )


def test_papermill_shows_parameters(tmp_path):
    source = tmp_path / "in.ipynb"
    nb = new_notebook(cells=[new_code_cell("lr := 0.5 // of the optimizer", metadata={"tags": ["parameters"]})])
    nb.metadata["kernelspec"] = {"name": "gonb", "display_name": "Go (gonb)", "language": "go"}
    nbformat.write(nb, source)
    ran = subprocess.run(
        [sys.executable, "-m", "papermill", "--help-notebook", str(source)], capture_output=True, text=True, timeout=60
    )
    assert "lr: Unknown type (default 0.5)" in ran.stdout and "of the optimizer" in ran.stdout, ran.stdout + ran.stderr
