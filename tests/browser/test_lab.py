"""JupyterLab in a real browser, as a person uses it. Screenshots are kept in out/."""

import time

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

WAIT = 120_000  # milliseconds for anything but the first cell, on a busy machine

CELLS = [
    """train := vision.CIFAR10{Train: true, OrSample: true}.Open()
loader := dl.DataLoader{Dataset: train, BatchSize: 16, Shuffle: true, Seed: 1}
model := dl.Build(dl.Sequential{
	dl.Conv2d{Out: 8, Kernel: 3, Padding: 1}, dl.ReLU{}, dl.MaxPool2d{Kernel: 4},
	dl.Flatten{}, dl.Linear{Out: 10},
}, dl.Shape{16, 3, 32, 32})
display.Grid{Of: model.Param("0.weight"), Columns: 8}""",
    """run := dl.Start(model, dl.Training{Data: loader, Epochs: 10_000, Optimizer: dl.SGD{LR: 0.01}})
display.Live(run)""",
    'fmt.Println("other cells run meanwhile:", 6*7)',
]
GOING, KEPT, TYPED = 3, 4, 5  # cells that are run by themselves
MORE = ['kept := "a value of before"\nfmt.Println("going")\nfor {\n}', "kept", ""]


@pytest.fixture(scope="module")
def page(lab, browser):
    nb = new_notebook(cells=[new_code_cell(c) for c in CELLS + MORE])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, lab.folder / "live.ipynb")
    page = browser.new_page(viewport={"width": 1280, "height": 1500})
    page.set_default_timeout(WAIT)
    lab.open(page, "live.ipynb")
    page.locator(".jp-Notebook .jp-Cell").nth(TYPED).wait_for()
    yield page
    page.close()


def cell(page, n):
    return page.locator(".jp-Notebook .jp-Cell").nth(n)


def menu(page, first, *names):
    """Clicks through a menu."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text(first, exact=True).click()
    for name in names:
        page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).last.click()


def run(page, n):
    """Runs one cell from its editor."""
    cell(page, n).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def shows(page, n, text, timeout=WAIT):
    cell(page, n).locator(".jp-OutputArea-output", has_text=text).first.wait_for(timeout=timeout)


def shot(page, name):
    page.screenshot(path=OUT / f"{name}.png")


def test_run_up_to_a_live_plot(page):
    # Run All would end in the endless loop below.
    cell(page, GOING).locator(".cm-content").click()
    menu(page, "Run", "Run All Above Selected Cell")
    shows(page, 2, "other cells run meanwhile: 42", timeout=FIRST_CELL * 1000)
    plot = cell(page, 1).locator(".jp-OutputArea-output img").first
    plot.wait_for()
    seen, end = [], time.monotonic() + WAIT / 1000
    while len(seen) < 4 and time.monotonic() < end:
        now = plot.get_attribute("src")
        if now not in seen:
            seen.append(now)
        time.sleep(0.1)
    shot(page, "training")
    assert len(seen) >= 4, f"the plot changed {len(seen) - 1} times during training, want 3"


def test_themes(page):
    shot(page, "light")
    menu(page, "Settings", "Theme", "JupyterLab Dark")
    page.locator('body[data-jp-theme-light="false"]').wait_for(state="attached")
    shot(page, "dark")


def test_interrupt(page):
    run(page, GOING)
    shows(page, GOING, "going")
    menu(page, "Kernel", "Interrupt Kernel")
    shows(page, GOING, "Interrupted: the cell was interrupted; its values are kept")
    shot(page, "interrupted")
    run(page, KEPT)
    shows(page, KEPT, "a value of before")


def test_completion_by_tab(page):
    editor = cell(page, TYPED).locator(".cm-content")
    editor.click()
    page.keyboard.type("strings.ToUpperSpe")
    for _ in range(20):  # gopls may still read the packages
        page.keyboard.press("Tab")
        try:
            editor.get_by_text("strings.ToUpperSpecial").wait_for(timeout=5000)
            break
        except TooLate:
            continue
    assert editor.text_content() == "strings.ToUpperSpecial"
    page.keyboard.press("Control+A")
    page.keyboard.type('s := "🦦世界"; model.Para')
    page.keyboard.press("Tab")
    item = page.locator(".jp-Completer-item", has_text="Param").first  # Parallelize stands above it
    item.wait_for()
    shot(page, "completion")
    item.click()
    editor.get_by_text("model.Param").wait_for()
    assert editor.text_content() == 's := "🦦世界"; model.Param'


def test_restart(page):
    menu(page, "Kernel", "Restart Kernel…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".jp-Dialog").wait_for(state="detached")
    run(page, KEPT)
    shows(page, KEPT, "undefined: kept")
    shot(page, "restarted")
