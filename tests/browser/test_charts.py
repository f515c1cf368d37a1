"""Charts in JupyterLab: drawn as Vega-Lite, read by the pointer, zoomed, in a narrow and a wide page, light and dark."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from conftest import CHROMIUM, OUT
from holt import FIRST_CELL

try:
    from playwright.sync_api import TimeoutError as TooLate
except ImportError:
    TooLate = None

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(TooLate is None, reason="requirements/browser.txt is not installed"),
]

CELLS = [
    'loss := display.Plot(nil, map[string][]float64{"train": {3, 2, 1}, "valid": {3, 2.5, 2.4}})\nloss.Title, loss.Y = "loss", "loss"\nloss',
    'display.Confusion{Labels: []int{0, 1, 1}, Predicted: []int{0, 1, 0}, Classes: []string{"ant", "bee"}}',
    "display.Figure{Panels: []display.Panel{loss, loss}}",
    "display.Hist([]float64{1, 2, 2, 3, 3, 3})",
]


@pytest.fixture(scope="module")
def page(lab, browser):
    nb = new_notebook(cells=[new_code_cell(c) for c in CELLS])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, lab.folder / "charts.ipynb")
    page = browser.new_page(viewport={"width": 760, "height": 2000})
    page.set_default_timeout(FIRST_CELL * 1000)
    lab.open(page, "charts.ipynb")
    page.locator(".jp-Notebook .jp-Cell").nth(len(CELLS) - 1).wait_for()
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()  # the menu's Run is of the notebook in use
    run_all(page)
    for i in range(len(CELLS)):
        chart(page, i).wait_for()
    yield page
    page.close()


def run_all(page):
    """Runs all cells, again where JupyterLab took the click before the notebook could run."""
    for _ in range(6):
        page.locator(".lm-MenuBar-itemLabel").get_by_text("Run", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
        try:
            page.locator(".jp-InputPrompt").get_by_text(re.compile(r"\[(\*|\d+)\]:")).first.wait_for(timeout=10_000)
            return
        except TooLate:
            page.keyboard.press("Escape")
    raise AssertionError("no cell begins to run")


def chart(page, cell):
    return page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-OutputArea-output svg.marks")


def test_fits_narrow_and_wide(page):
    for theme in ("Light", "Dark"):
        page.locator(".lm-MenuBar-itemLabel").get_by_text("Settings", exact=True).click()
        for name in ("Theme", f"JupyterLab {theme}"):
            page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).last.click()
        page.locator(f'body[data-jp-theme-light="{"true" if theme == "Light" else "false"}"]').wait_for(state="attached")
        for width in (760, 1400):
            page.set_viewport_size({"width": width, "height": 2000})
            page.keyboard.press("Escape")
            if width == 760 and page.locator(".jp-FileBrowser").is_visible():
                page.keyboard.press("Control+b")  # the file browser takes a third of the width
            page.wait_for_timeout(1000)
            page.screenshot(path=OUT / f"charts-{theme.lower()}-{width}.png")
            for i in range(len(CELLS)):
                output = page.locator(".jp-Notebook .jp-Cell").nth(i).locator(".jp-OutputArea-output").first.bounding_box()
                drawn = chart(page, i).bounding_box()
                assert drawn["x"] + drawn["width"] <= output["x"] + output["width"], f"chart {i} is wider than a page of {width}"


def test_letters_have_the_colour_of_the_page(page):
    text = chart(page, 0).locator("text").first
    fill = text.evaluate("e => getComputedStyle(e).fill")
    assert fill == page.locator(".jp-OutputArea-output").first.evaluate("e => getComputedStyle(e).color"), fill


def test_pointer_reads_a_point(page):
    box = chart(page, 0).bounding_box()
    for x in (0.5, 0.52):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_timeout(300)
    said = page.locator("#vg-tooltip-element.visible")
    said.wait_for()
    assert "train" in said.inner_text() or "valid" in said.inner_text(), said.inner_text()
    page.screenshot(path=OUT / "charts-pointer.png")


def test_zooms_by_the_wheel_with_ctrl_only(page):
    box = chart(page, 0).bounding_box()
    labels = "e => [...e.querySelectorAll('.role-axis-label text')].map(t => t.textContent).join(' ')"
    before = chart(page, 0).evaluate(labels)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(500)
    assert chart(page, 0).evaluate(labels) == before, "the wheel alone moves the page"
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function("([e, before]) => [...e.querySelectorAll('.role-axis-label text')].map(t => t.textContent).join(' ') !== before",
                           arg=[chart(page, 0).element_handle(), before])  # fmt: skip
