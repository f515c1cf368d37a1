"""The quickstart as a newcomer runs it: every cell, by the menu. Screenshots in both themes are kept in out/."""

import shutil
import time

import pytest

from conftest import CHROMIUM, OUT
from holt import CHECKOUT, FIRST_CELL
from test_charts import run_all
from test_lab import TooLate, menu

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(TooLate is None, reason="requirements/browser.txt is not installed"),
]

LONG = 1000 * FIRST_CELL  # milliseconds for what trains, on a machine that does other things too


@pytest.fixture(scope="module")
def page(lab, browser):
    shutil.copy(CHECKOUT / "notebooks" / "quickstart.ipynb", lab.folder)
    page = browser.new_page(viewport={"width": 1280, "height": 1100})
    page.set_default_timeout(LONG)
    lab.open(page, "quickstart.ipynb")
    code(page, "dl.Devices()").locator(".cm-content").click()
    yield page
    page.close()


def code(page, text):
    """The first code cell that holds text."""
    return page.locator(".jp-Notebook .jp-CodeCell").filter(has=page.locator(".cm-content", has_text=text)).first


def ended(page, text):
    """Waits until a cell has its number, which it gets at its end."""
    code(page, text).locator(".jp-InputPrompt").filter(has_text="[").filter(has_not_text="*").and_(
        page.locator(".jp-InputPrompt:not(:text-is('[ ]:'))")
    ).wait_for()


def shots(page, name, cell):
    """Takes a picture of a cell in both themes."""
    for theme, light in [("Light", "true"), ("Dark", "false")]:
        menu(page, "Settings", "Theme", f"JupyterLab {theme}")
        page.locator(f'body[data-jp-theme-light="{light}"]').wait_for(state="attached")
        cell.evaluate("cell => cell.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(500)  # for the theme's style sheet; nothing else says that it is drawn
        page.screenshot(path=OUT / f"quickstart-{name}-{theme.lower()}.png")


def test_the_plot_changes_while_it_trains(page):
    run_all(page)
    live = code(page, "display.Live(run)")
    plot = live.locator(".jp-OutputArea-output img").first
    plot.wait_for()
    seen, end = [], time.monotonic() + FIRST_CELL
    while len(seen) < 4 and time.monotonic() < end:
        now = plot.get_attribute("src")
        if now not in seen:
            seen.append(now)
        time.sleep(0.1)
    assert len(seen) >= 4, f"the plot changed {len(seen) - 1} times during training, want 3"


def test_interrupt_keeps_the_training_and_its_values(page):
    # run.Wait() waits for minutes of training: interrupting it ends the cell, and not the training.
    waits = code(page, "run.Wait()")
    ended(page, "filters of the first layer")
    menu(page, "Kernel", "Interrupt Kernel")
    waits.locator(".jp-OutputArea-output", has_text="Interrupted").first.wait_for()
    shots(page, "training", code(page, "display.Live(run)"))
    shots(page, "interrupted", waits)


def test_it_goes_on_to_its_end(page):
    code(page, "run.Wait()").locator(".cm-content").click()
    menu(page, "Run", "Run Selected Cell and All Below")
    last = code(page, 'model.Save("quickstart.safetensors")')
    last.locator(".jp-OutputArea-output", has_text="with the saved weights: accuracy").wait_for()
    assert "epoch 4:" in code(page, "run.Wait()").locator(".jp-OutputArea-output").first.text_content()
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    shots(page, "network", code(page, "func network()"))
    code(page, "display.Live(run)").locator(".jp-OutputArea-output svg.marks").wait_for()  # a chart that can be touched
    shots(page, "trained", code(page, "display.Live(run)"))
    shots(page, "predictions", code(page, "scores.Softmax(1)"))


def test_restart_and_begin_again(page):
    menu(page, "Kernel", "Restart Kernel and Clear Outputs of All Cells…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".jp-Dialog").wait_for(state="detached")
    page.locator(".jp-OutputArea-output").first.wait_for(state="detached")
    first = code(page, "dl.Devices()")
    first.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    first.locator(".jp-OutputArea-output", has_text="cpu").first.wait_for()
