"""Every HTML output, through JupyterLab's own sanitiser from npm: it comes out as it went in.

What "as it went in" means is said in check.mjs. The sanitiser is that of the JupyterLab in requirements/browser.txt; package.json
names its version.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

sys.path.insert(0, str(Path(__file__).parents[1] / "jupyter"))
from holt import CHECKOUT, FIRST_CELL, command  # noqa: E402

HERE = Path(__file__).parent
OUT = CHECKOUT / "notebooks" / "out"

# What %tensorboard and GoNB's browser programs show is another page or a program: they work only where a person trusts the
# notebook, and their text says the same in words. The controls of display.Interact are drawn by a module there, too; without
# it they are disabled, as the sanitiser makes all controls, and a line has their values.
PROGRAMS = ("<iframe", "<script", "<fieldset disabled")

CELLS = [
    "type row struct { Name string; Share float64 }\n[]row{{`<img src=x onerror=alert(1)>`, 0.5}}",
    "model := dl.Build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.ReLU{}, dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{2, 3, 8, 8})\nmodel.Summary()",
    "dl.FromSlice([]float32{1, 2, 3, 4}, 2, 2)",
    "dl.FromSlice(make([]float32, 6000), 3, 40, 50)",
    "display.Weights(model)",
    "display.Graph(model)",
    'display.Report{Labels: []int{0, 1}, Predicted: []int{0, 0}, Classes: []string{"ant", "bee & wasp"}}',
    "for range display.Progress(slices.Values([]int{1, 2, 3}), 3) {\n}",
    "dl.Devices()",
    "nonsense",
]


@pytest.fixture(scope="session")
def changed():
    """A function of {name: html}, which says what the sanitiser changes."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: apt-get install nodejs npm")
    have, want = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if not have.exists() or have.stat().st_mtime < want.stat().st_mtime:
        try:
            done = subprocess.run(["npm", "ci"], cwd=HERE, capture_output=True, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            pytest.skip("npm ci took more than 10 minutes: is the registry reached?")
        if done.returncode != 0:
            pytest.skip(f"npm ci does not install JupyterLab's sanitiser: {done.stderr.strip()[-500:]}")

    def check(pages):
        done = subprocess.run(["node", str(HERE / "check.mjs")], input=json.dumps(pages), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return check


def pages(path):
    """The HTML outputs of an executed notebook."""
    found = {}
    for number, cell in enumerate(nbformat.read(path, 4).cells):
        for i, output in enumerate(cell.get("outputs", [])):
            html = output.get("data", {}).get("text/html", "")
            html = re.sub(r' data-holt-result="[^"]*" data-n="\d+"', "", html)  # by which that module finds the line
            if html and not any(program in html for program in PROGRAMS):
                found[f"{Path(path).name}, cell {number}, output {i}"] = html
    return found


def test_the_check_sees(changed):
    """Otherwise the other tests would say nothing."""
    good = {
        "quotes": "<div>&quot;&#34;&amp;&#x3c;</div>",
        "style": '<td style="text-align: right;color:#222222">1</td>',
        "order": '<progress max="4" value="2"></progress>',
        "folded": "<details><summary>a</summary>b</details>",
    }
    bad = {
        "script": "<div>a<script>1</script></div>",
        "handler": '<div onclick="1">a</div>',
        "svg": "<svg></svg>",
        "link": '<a href="javascript:1">a</a>',
        "style": '<td style="position:expression(1)">a</td>',
        "comment": "<!-- a -->",
    }
    assert changed(good) == {}
    assert set(changed(bad)) == set(bad)


def test_display(changed, tmp_path):
    """All that package display makes, of honest and of hostile names."""
    path = tmp_path / "pages.json"
    done = subprocess.run(
        ["go", "test", "-count=1", "-run", "^TestPages$", "./display/plot"],
        cwd=CHECKOUT, env={**os.environ, "HOLT_PAGES": str(path)}, capture_output=True, text=True, timeout=FIRST_CELL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    made = json.loads(path.read_text())
    assert len(made) >= 50
    assert changed(made) == {}


def test_notebook(changed, tmp_path):
    """What a kernel sends for values of all kinds."""
    nb = new_notebook(cells=[new_code_cell(c) for c in CELLS])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, tmp_path / "all.ipynb")
    done = command("run", str(tmp_path / "all.ipynb"), "--allow-errors", "--quiet", "-o", str(tmp_path / "out.ipynb"), timeout=FIRST_CELL)
    assert done.returncode == 0, done.stderr
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    failed = [c.source for c in cells if any(o.output_type == "error" for o in c.outputs)]
    assert failed == ["nonsense"], cells
    made = pages(tmp_path / "out.ipynb")
    assert len(made) >= 6, list(made)
    assert changed(made) == {}


def test_executed_notebooks(changed):
    """The notebooks that make notebooks has run."""
    made = {}
    for path in sorted(OUT.glob("*.ipynb")):
        made |= pages(path)
    if not made:
        pytest.skip("no executed notebook has HTML outputs: run make notebooks first")
    assert changed(made) == {}
