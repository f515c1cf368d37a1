"""A training that is shown live: followed through a reload, a second browser and a restart, and steered by its buttons.
Screenshots in both themes, at 760 and 1400 pixels, are kept in out/."""

import re
import shutil
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from conftest import CHROMIUM, OUT
from holt import FIRST_CELL
from test_lab import TooLate, cell, menu, run, shows

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(TooLate is None, reason="requirements/browser.txt is not installed"),
]

WAIT = 120_000  # milliseconds for anything but the first cell, on a busy machine

CELLS = [
    """train := vision.CIFAR10{Train: true, OrSample: true}.Open()
loader := dl.DataLoader{Dataset: dl.Subset{Dataset: train, Indices: make([]int, 320)}, BatchSize: 16}
model := dl.Build(dl.Sequential{dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{16, 3, 32, 32})""",
    """slow := func(dl.StepDone) error { time.Sleep(50 * time.Millisecond); return nil }
run := dl.Start(model, dl.Training{Data: loader, Epochs: 2_000, Optimizer: dl.SGD{LR: 0.01}, OnStep: slow})
run.Pause()
display.Live(run)""",
    "fmt.Println(run.Paused(), run.LR())",
]
TRAINING, ASKING = 1, 2
SIZE = {"width": 1500, "height": 1200}  # so that the run's line has room to spare in one row
STEP = re.compile(r"step (\d+)")


def opened(browser, lab, workspace):
    page = browser.new_context(viewport=SIZE).new_page()  # as another person's
    page.set_default_timeout(WAIT)
    lab.open(page, "follow.ipynb", workspace)
    page.locator(".jp-Notebook .jp-Cell").nth(ASKING).wait_for(state="attached")
    return page


def write(lab):
    nb = new_notebook(cells=[new_code_cell(c) for c in CELLS])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, lab.folder / "follow.ipynb")


@pytest.fixture(scope="module")
def page(lab, browser):
    write(lab)
    page = opened(browser, lab, "follow")
    yield page
    page.context.close()


def view(page):
    return cell(page, TRAINING).locator("[data-holt-live]")


def button(page, name):
    return view(page).get_by_role("group", name="training run").get_by_role("button", name=name, exact=True)


def line(page):
    return view(page).locator("[data-part=line]")


def says(page, text):
    line(page).get_by_text(text).wait_for()


def step(page):
    return int(STEP.search(line(page).inner_text())[1])


def goes_on(page):
    """Waits for later steps to be shown."""
    first, end = step(page), time.monotonic() + WAIT / 1000
    while step(page) < first + 3:
        assert time.monotonic() < end, f"the view stands still: {line(page).inner_text()}"
        time.sleep(0.1)


def save(page, lab):
    """Saves the notebook, and waits until it holds the view."""
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    end = time.monotonic() + WAIT / 1000
    while "data-holt-live" not in (lab.folder / "follow.ipynb").read_text():
        assert time.monotonic() < end, "the notebook is not saved"
        time.sleep(0.2)


def shots(page, name):
    """Takes pictures of the view in both themes, narrow and wide, without the file browser."""
    page.keyboard.press("Control+b")
    for theme, light in [("Light", "true"), ("Dark", "false")]:
        menu(page, "Settings", "Theme", f"JupyterLab {theme}")
        page.locator(f'body[data-jp-theme-light="{light}"]').wait_for(state="attached")
        for width in [760, 1400]:
            page.set_viewport_size({"width": width, "height": 1200})
            cell(page, TRAINING).evaluate("cell => cell.scrollIntoView({block: 'start'})")
            page.wait_for_timeout(500)  # for the theme's style sheet; nothing else says that it is drawn
            page.screenshot(path=OUT / f"live-{name}-{theme.lower()}-{width}.png")
    menu(page, "Settings", "Theme", "JupyterLab Light")
    page.set_viewport_size(SIZE)
    page.keyboard.press("Control+b")


def begin(page, n):
    """Runs the first cell of a page that was just opened, which may not take keys yet."""
    ran = cell(page, n).locator(".jp-InputPrompt:not(:text-is('[ ]:'))")
    for _ in range(10):
        run(page, n)
        try:
            ran.wait_for(timeout=5000)
            return
        except TooLate:
            continue
    raise AssertionError("the cell is not run")


def test_buttons_steer_the_run(page):
    begin(page, 0)
    run(page, TRAINING)
    view(page).wait_for(timeout=FIRST_CELL * 1000)
    says(page, "paused")
    button(page, "Resume").click()
    goes_on(page)
    button(page, "Pause").click()
    says(page, "paused")
    rate = view(page).get_by_label("learning rate", exact=True)
    rate.fill("much")
    button(page, "Set the learning rate").click()
    view(page).get_by_text("the learning rate is to be a number that is not negative").wait_for()
    rate.fill("0.002")
    rate.press("Enter")
    says(page, "lr 0.002")
    run(page, ASKING)
    shows(page, ASKING, "true 0.002")
    button(page, "Resume").click()
    goes_on(page)


def test_it_is_calm(page):
    """Neither its height nor the place of its parts changes, and no picture is missing, while its numbers do."""
    places = page.evaluate(
        """async () => {
            const seen = new Map(); // to when it was first seen, in milliseconds
            const note = (what) => seen.has(what) || seen.set(what, Math.round(performance.now() - start));
            let pictures = 0, last = "";
            const start = performance.now(), end = start + 15000; // in which the display is rendered again too
            while (performance.now() < end) {
                await new Promise(requestAnimationFrame);
                const root = document.querySelector("[data-holt-live]");
                if (!root || !root.querySelector("button")) {
                    note("no view");
                    continue;
                }
                const img = root.querySelector("img");
                if (img && img.src !== last) {
                    last = img.src;
                    pictures++;
                }
                const y = (name) => root.querySelector(`[data-part=${name}]`).offsetTop - root.offsetTop;
                note([root.offsetHeight, y("steer"), y("curves"), y("epochs"), Boolean(img && img.complete && img.naturalWidth)].join());
            }
            return { seen: [...seen], pictures };
        }"""
    )
    assert len(places["seen"]) == 1 and places["seen"][0][0].endswith("true"), places
    assert places["pictures"] >= 3, places
    shots(page, "going")


def test_reload(page, lab):
    save(page, lab)
    before = step(page)
    page.reload()
    view(page).wait_for()
    button(page, "Pause").wait_for()
    goes_on(page)
    assert step(page) > before
    button(page, "Pause").click()
    says(page, "paused")
    run(page, ASKING)
    shows(page, ASKING, "true 0.002")
    shots(page, "reloaded")


def test_second_browser(page, lab, browser):
    other = opened(browser, lab, "other")
    try:
        says(other, "paused")
        button(other, "Resume").click()
        button(page, "Pause").wait_for()  # the first one learns of it
        goes_on(page)
        goes_on(other)
    finally:
        other.context.close()


def test_saved_notebook_is_a_picture_elsewhere(page, lab, browser, tmp_path):
    """In pages without a Jupyter server: what nbconvert writes, which runs scripts, as renderers like VS Code's do."""
    save(page, lab)
    shutil.copy(lab.folder / "follow.ipynb", tmp_path)
    converted = subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "follow.ipynb"], cwd=tmp_path, capture_output=True, text=True
    )
    assert converted.returncode == 0, converted.stderr
    elsewhere = browser.new_page(viewport={"width": 1000, "height": 900})
    try:
        faults = []
        elsewhere.on("pageerror", lambda fault: faults.append(str(fault)))
        elsewhere.goto((tmp_path / "follow.html").as_uri(), wait_until="domcontentloaded")
        shown = elsewhere.locator("[data-holt-live]")
        assert STEP.search(shown.inner_text()) and "as of" in shown.inner_text()
        assert "call display.Live again" in shown.inner_text()
        assert shown.get_by_role("button").count() == 0
        assert shown.locator("img").first.evaluate("img => img.complete && img.naturalWidth > 0")
        assert "train/loss" in shown.locator("img").first.get_attribute("alt")
        elsewhere.screenshot(path=OUT / "live-nbconvert.png")
        assert not [f for f in faults if "mathjax" not in f.lower()], faults
    finally:
        elsewhere.close()


def test_untrusted_notebook_is_a_picture(lab, browser):
    """JupyterLab's sanitiser takes the script out of a notebook that it does not trust."""
    nb = nbformat.read(lab.folder / "follow.ipynb", as_version=4)
    nb.cells[TRAINING].outputs[0].metadata["changed"] = "by somebody else"
    nbformat.write(nb, lab.folder / "strange.ipynb")
    page = browser.new_page(viewport={"width": 1000, "height": 1200})
    try:
        page.set_default_timeout(WAIT)
        lab.open(page, "strange.ipynb")
        shown = cell(page, TRAINING).locator(".jp-OutputArea-output").first
        shown.get_by_text("call display.Live again").wait_for()
        assert shown.locator("img").first.evaluate("img => img.complete && img.naturalWidth > 0")
        assert shown.get_by_role("button").count() == 0
    finally:
        page.close()


def test_stop_asks_first(page):
    page.keyboard.press("Escape")
    button(page, "Stop").click()
    button(page, "Really stop?").wait_for()
    button(page, "Stop").wait_for()  # and changes its mind after a while
    goes_on(page)


RESTARTED = "stopped: the kernel was restarted; run the cell again"


def restart(page):
    menu(page, "Kernel", "Restart Kernel…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    cell(page, TRAINING).get_by_text(RESTARTED).wait_for()


def test_restart(page, lab, browser):
    other = opened(browser, lab, "other")
    view(other).wait_for()
    goes_on(other)
    save(page, lab)
    restart(page)
    for p in [page, other]:
        cell(p, TRAINING).get_by_text(RESTARTED).wait_for()
        assert STEP.search(cell(p, TRAINING).inner_text()) and "as of" in cell(p, TRAINING).inner_text()
    shots(page, "restarted")
    other.context.close()
    # The notebook was saved before the kernel ended, and its view asks the new one.
    page.on("dialog", lambda d: d.accept())
    page.reload()
    cell(page, TRAINING).get_by_text("stopped: the kernel was started again; run the cell again").wait_for()
    assert "as of" in line(page).inner_text()
    shots(page, "after")

