"""%tensorboard in JupyterLab: what a person sees of it. The screenshot is kept in out/."""

import os
import shutil
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from conftest import CHROMIUM, OUT
from holt import FIRST_CELL
from test_lab import TooLate, cell, menu, shows

TENSORBOARD = shutil.which("tensorboard", path=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(TooLate is None, reason="requirements/browser.txt is not installed"),
    pytest.mark.skipif(TENSORBOARD is None, reason="no tensorboard is installed: pip install tensorboard"),
]

LOG = """log := board.Open("runs/parabola")
for step := range 100 {
	log.AddScalar("curves/parabola", float64(step*step), step)
}
log.Close()"""
PROXY = "%env TENSORBOARD_PROXY_URL=/proxy/%PORT%/\n%tensorboard --logdir runs --height 120"
FRAME = "iframe[title=TensorBoard]"


@pytest.fixture(scope="module")
def page(lab, browser):
    saved = '<iframe src="http://localhost:1/" title="TensorBoard"></iframe>\n<p>TensorBoard of runs: <a href="http://localhost:1/">http://localhost:1/</a></p>'
    old = new_code_cell("// of another day", outputs=[new_output("display_data", data={"text/html": saved, "text/plain": "TensorBoard of runs"})])
    nb = new_notebook(cells=[new_code_cell(c) for c in [LOG, f"%env TENSORBOARD_BINARY={TENSORBOARD}\n%tensorboard --logdir runs", PROXY]] + [old])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, lab.folder / "tensorboard.ipynb")
    page = browser.new_page(viewport={"width": 1280, "height": 1200})
    page.set_default_timeout(120_000)
    lab.open(page, "tensorboard.ipynb")
    page.locator(".jp-Notebook .jp-Cell").nth(3).wait_for()
    yield page
    page.close()


def test_untrusted(page):
    # The notebook was never saved by this JupyterLab, which therefore drops the frame. The address stays.
    shows(page, 3, "TensorBoard of runs: http://localhost:1/")
    assert cell(page, 3).locator("iframe").count() == 0
    assert cell(page, 3).locator("a").get_attribute("href") == "http://localhost:1/"


def test_curves_are_seen(page):
    menu(page, "Run", "Run All Cells")
    shows(page, 1, "TensorBoard of runs: http://127.0.0.1:", timeout=FIRST_CELL * 1000)
    inside = cell(page, 1).frame_locator(FRAME)
    inside.locator("scalar-card svg").first.wait_for()
    assert "parabola" in inside.locator("body").inner_text()
    assert cell(page, 1).locator(FRAME).bounding_box()["height"] >= 800
    cell(page, 1).locator(FRAME).scroll_into_view_if_needed()
    page.screenshot(path=OUT / "tensorboard.png")


def test_proxy(page):
    shows(page, 2, "TensorBoard of runs: /proxy/")
    address = cell(page, 2).locator("a").get_attribute("href")
    # JupyterLab leaves it as it is, below the server's own address.
    assert address.startswith("/proxy/") and cell(page, 2).locator(FRAME).get_attribute("src") == address
    assert cell(page, 2).locator(FRAME).bounding_box()["height"] == 120
