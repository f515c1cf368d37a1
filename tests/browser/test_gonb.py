"""GoNB's notebooks that need a page, unchanged, in JupyterLab: what their cells
show is what the notebooks hold."""

import importlib.util
import re
import sys
from pathlib import Path

import nbformat
import pytest

from conftest import CHROMIUM, OUT
from holt import FIRST_CELL

try:
    from playwright.sync_api import TimeoutError as TooLate
except ImportError:
    TooLate = None

sys.path.insert(0, str(Path(__file__).parents[1] / "gonb"))
import notebooks  # noqa: E402

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed; apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="requirements/browser.txt is not installed"),
]

WAIT = 60_000  # milliseconds


class Opened:
    """One of GoNB's notebooks in a page."""

    def __init__(self, lab, browser, tmp_path, name):
        self.name = name
        self.path, nb = notebooks.copy(name, lab.folder)
        nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
        self.held = [[]] + [list(c.get("outputs", [])) for c in nb.cells]
        for c in nb.cells:
            if c.cell_type == "code":
                c.outputs, c.execution_count = [], None
        env = notebooks.environment(tmp_path)
        set_env = "".join(f"%env {k}={env[k]}\n" for k in ("GONB_GIT_ROOT", "GOCOVERDIR"))
        nb.cells.insert(0, nbformat.v4.new_code_cell(set_env))
        nbformat.write(nb, self.path)
        self.nb = nb
        self.page = browser.new_page(viewport={"width": 1200, "height": 1500})
        self.page.set_default_timeout(WAIT)
        lab.open(self.page, self.path.name, query="&reset")  # nothing of the notebook before
        self.cells = self.page.locator(".jp-Notebook .jp-Cell")
        self.cells.nth(len(nb.cells) - 1).wait_for(state="attached")

    def run(self):
        """Runs the code cells one after the other, each in view."""
        for n, c in enumerate(self.nb.cells):
            cell = self.cells.nth(n)
            cell.scroll_into_view_if_needed()
            if c.cell_type == "code":
                self.start(cell)
                cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=FIRST_CELL * 1000)
        self.page.screenshot(path=OUT / f"gonb-{self.path.stem}.png")

    def start(self, cell):
        """Starts a cell. JupyterLab may not take the key while it still lays the page out: it is pressed again then."""
        begun = cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[(\d+|\*)\]"))
        for _ in range(6):
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            try:
                begun.wait_for(timeout=10_000)
                return
            except TooLate:
                continue
        raise AssertionError("JupyterLab does not run the cell")

    def saved(self):
        """The code cells as JupyterLab saves them, each with its outputs and those that GoNB's notebook holds."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        ran = [c.execution_count for c in nbformat.read(self.path, as_version=4).cells if c.cell_type == "code"]
        while None in ran:
            self.page.wait_for_timeout(200)
            ran = [c.execution_count for c in nbformat.read(self.path, as_version=4).cells if c.cell_type == "code"]
        for c, held in zip(nbformat.read(self.path, as_version=4).cells, self.held):
            if c.cell_type == "code":
                yield c.source, notebooks.comparable(c.outputs), notebooks.comparable(held)


@pytest.fixture
def notebook(lab, browser, tmp_path):
    opened = []

    def open_(name):
        opened.append(Opened(lab, browser, tmp_path, name))
        return opened[-1]

    yield open_
    for nb in opened:
        nb.page.close()


@pytest.mark.parametrize("name", ["comms", "dom", "widgets"])
def test_notebook(notebook, name):
    nb = notebook(f"tests/{name}")
    nb.run()
    compared = 0
    for source, got, want in nb.saved():
        if source.startswith(("%env", "%goflags")) or "%goworkfix" in source:
            continue  # commands, whose words tests/gonb compares
        # With GoNB's program ends its goroutine. Here it lives on, and prints this where two seconds pass before the page is saved.
        got = [text.removesuffix("\ntimedout") for text in got]
        assert got == want, source
        compared += 1
    assert compared >= 3


def test_wasm(notebook):
    nb = notebook("tests/wasm")
    nb.run()
    shown = nb.page.locator(".jp-OutputArea-output", has_text="The meaning of life, the universe, and everything: 42")
    shown.first.wait_for()
    assert "Wasm URL: /files/jupyter_files/gonb_" in shown.first.inner_text()
    nb.page.locator(".jp-OutputArea-output", has_text="Hello world!").first.wait_for()
