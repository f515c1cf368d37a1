"""Makes docs/live.gif, the moving picture in README.md, anew: JupyterLab while notebooks/quickstart.ipynb trains.

    HOLT_BIN=bin/holt .venv/bin/python tests/browser/screenshot.py

Needs Chromium and requirements/browser.txt (make .venv/.browser). Look at the picture before you commit it.
"""

import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

from conftest import CHROMIUM, Lab
from holt import CHECKOUT, FIRST_CELL
from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = CHECKOUT / "docs" / "live.gif"
LIMIT = 1_000_000  # bytes: README is read over slow lines too
EVERY = 500  # milliseconds between two frames
LONGEST = 40  # frames
COLORS = 256
SCALE = 0.7

TOP = 130  # where the notebook begins, below the menus, and a little more


def main():
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        try:
            shutil.copy(CHECKOUT / "notebooks" / "quickstart.ipynb", lab.folder)
            with sync_playwright() as p:
                browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1120, "height": 1160})
                page.set_default_timeout(FIRST_CELL * 1000)
                shoot(page, lab)
                browser.close()
        finally:
            lab.close()
    size = PICTURE.stat().st_size
    print(f"{PICTURE.relative_to(CHECKOUT)}: {size} bytes")
    if size > LIMIT:
        sys.exit(f"more than {LIMIT} bytes")


def shoot(page, lab):
    page.goto(lab.url("quickstart.ipynb"))
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.get_by_text("Kernel status: Idle").first.wait_for(state="attached")
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
    write([f.resize((round(f.width * SCALE), round(f.height * SCALE)), Image.LANCZOS) for f in frames])


def write(frames):
    """Writes the frames as one GIF, with the colours of the last one, which has everything in it."""
    palette = frames[-1].quantize(COLORS, dither=Image.Dither.NONE)
    small = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    durations = [EVERY] * (len(small) - 1) + [4000]
    small[0].save(PICTURE, save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    main()
