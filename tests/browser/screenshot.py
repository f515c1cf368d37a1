"""Makes the moving pictures of the documentation anew, or those that are named:

- docs/live.gif, in README.md: JupyterLab while notebooks/quickstart.ipynb trains;
- docs/follow.gif, in docs/live.md: a training through its buttons, a reload of the page and a restart of the kernel.

    HOLT_BIN=bin/holt .venv/bin/python tests/browser/screenshot.py [live] [follow]

Needs Chromium and requirements/browser.txt (make .venv/.browser). Look at the pictures before you commit them.
"""

import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

import test_live
from conftest import CHROMIUM, Lab
from holt import CHECKOUT, FIRST_CELL
from PIL import Image
from playwright.sync_api import sync_playwright

DOCS = CHECKOUT / "docs"
LIMITS = {"live": 1_000_000, "follow": 500_000}  # bytes: they are read over slow lines too
EVERY = 500  # milliseconds between two frames
LONGEST = 40  # frames
COLORS = 256
SCALE = 0.7

TOP = 130  # where the notebook begins, below the menus, and a little more


def main(names):
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        try:
            with sync_playwright() as p:
                browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                for name in names:
                    {"live": shoot, "follow": follow}[name](browser, lab)
                browser.close()
        finally:
            lab.close()
    for name in names:
        size = (DOCS / f"{name}.gif").stat().st_size
        print(f"docs/{name}.gif: {size} bytes")
        if size > LIMITS[name]:
            sys.exit(f"more than {LIMITS[name]} bytes")


def shoot(browser, lab):
    shutil.copy(CHECKOUT / "notebooks" / "quickstart.ipynb", lab.folder)
    page = browser.new_page(viewport={"width": 1120, "height": 1160})
    page.set_default_timeout(FIRST_CELL * 1000)
    lab.open(page, "quickstart.ipynb")
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+b")  # the file browser takes a third of the width
    page.locator(".lm-MenuBar-itemLabel").get_by_text("Run", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
    live = page.locator(".jp-CodeCell", has_text="display.Live(run)")
    live.locator("img").first.wait_for()
    page.evaluate("document.activeElement.blur()")
    for _ in range(20):  # cells above are measured only when they come into sight, and push this one down
        live.evaluate("cell => cell.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(100)
        if live.bounding_box()["y"] < TOP:
            break
    frames = []
    trained = page.locator(".jp-CodeCell", has_text="run.Wait()").locator(".jp-OutputArea-output")
    while len(frames) < LONGEST and not trained.count():
        live.evaluate("cell => cell.scrollIntoView({block: 'start'})")
        frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        page.wait_for_timeout(EVERY)
    write("live", [f.resize((round(f.width * SCALE), round(f.height * SCALE)), Image.LANCZOS) for f in frames])
    page.close()


def follow(browser, lab):
    """Takes a picture when something has happened."""
    test_live.write(lab)
    page = test_live.opened(browser, lab, "follow")
    page.set_viewport_size({"width": 980, "height": 700})
    frames = []

    def shot(times=1):
        for _ in range(times):
            page.locator("[data-holt-live]").first.scroll_into_view_if_needed()
            test_live.cell(page, test_live.TRAINING).evaluate("cell => cell.scrollIntoView({block: 'start'})")
            frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
            page.wait_for_timeout(EVERY)

    page.keyboard.press("Control+b")
    test_live.begin(page, 0)
    test_live.run(page, test_live.TRAINING)
    test_live.button(page, "Resume").click()
    shot(5)
    test_live.button(page, "Pause").click()
    test_live.says(page, "paused")
    rate = test_live.view(page).get_by_label("learning rate", exact=True)
    rate.fill("0.002")
    shot(2)
    rate.press("Enter")
    test_live.says(page, "lr 0.002")
    shot(2)
    test_live.button(page, "Resume").click()
    shot(3)
    test_live.save(page, lab)
    page.reload(wait_until="commit")
    frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    test_live.button(page, "Pause").wait_for()
    shot(6)
    test_live.restart(page)
    shot(2)
    write("follow", frames)
    page.close()


def write(name, frames):
    """Writes the frames as one GIF, with the colours of the last one, which has everything in it."""
    palette = frames[-1].quantize(COLORS, dither=Image.Dither.NONE)
    small = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    durations = [EVERY] * (len(small) - 1) + [4000]
    small[0].save(DOCS / f"{name}.gif", save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    main(sys.argv[1:] or list(LIMITS))
