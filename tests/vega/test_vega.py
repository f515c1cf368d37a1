"""Charts as Vega-Lite: by the schema that Vega-Lite publishes, drawn by Vega itself from npm, and warned of nothing.

The specifications are the golden files of display/plot, and those in notebooks that make notebooks has run.
"""

import json
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
KIND = "application/vnd.vegalite.v5+json"


@pytest.fixture(scope="session")
def wrong():
    """A function of {name: specification}, which says what is wrong with each."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: apt-get install nodejs npm")
    have, want = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if not have.exists() or have.stat().st_mtime < want.stat().st_mtime:
        try:
            done = subprocess.run(["npm", "ci"], cwd=HERE, capture_output=True, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            pytest.skip("npm ci took more than 10 minutes: is the registry reached?")
        if done.returncode != 0:
            pytest.skip(f"npm ci does not install Vega: {done.stderr.strip()[-500:]}")

    def check(specs):
        done = subprocess.run(["node", str(HERE / "check.mjs")], input=json.dumps(specs), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return {name: said for name, said in json.loads(done.stdout).items() if said}

    return check


def golden():
    folder = CHECKOUT / "display" / "plot" / "testdata"
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.vl.json.golden")}


def test_golden_files(wrong):
    specs = golden()
    assert len(specs) >= 10
    assert wrong(specs) == {}


def test_check_finds_what_is_wrong(wrong):
    """The test of the test: a word that is not of the language, and a ground of its own."""
    specs = golden()
    specs["bars.vl.json.golden"]["layer"][0]["mark"]["typ"] = "bar"
    specs["plot.vl.json.golden"]["background"] = "white"
    assert set(wrong(specs)) == {"bars.vl.json.golden", "plot.vl.json.golden"}


def test_notebooks(wrong):
    """What make notebooks has run, if it has."""
    specs = {}
    for path in (CHECKOUT / "notebooks" / "out").glob("*.ipynb"):
        for number, cell in enumerate(nbformat.read(path, 4).cells):
            for i, output in enumerate(cell.get("outputs", [])):
                if KIND in output.get("data", {}):
                    specs[f"{path.name}, cell {number}, output {i}"] = output["data"][KIND]
    assert wrong(specs) == {}
