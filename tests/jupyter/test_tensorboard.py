"""%tensorboard with the real TensorBoard: what it serves, who shares it, and that it ends with its kernel."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import holt
from test_crash import alive

TENSORBOARD = shutil.which("tensorboard", path=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])

pytestmark = pytest.mark.skipif(TENSORBOARD is None, reason="no tensorboard is installed: pip install tensorboard")

LOG = """log := board.Open("runs/course")
for step := range 3 { log.AddScalar("train/loss", 1/float64(1+step), step) }
log.Close()"""


def shown(ran):
    """What the cell shows in the end, as text/plain and text/html."""
    last = (ran.of("update_display_data") or ran.of("display_data"))[-1]
    return last["data"]["text/plain"], last["data"]["text/html"]


def get(address, path):
    """What TensorBoard answers, which may not have read the logs yet."""
    end = time.monotonic() + 60
    while True:
        try:
            found = json.load(urllib.request.urlopen(address + path, timeout=30))
        except urllib.error.HTTPError:
            found = None
        if found or time.monotonic() > end:
            return found
        time.sleep(0.2)


@pytest.fixture
def kernels(installed, tmp_path):
    """Starts kernels in one folder."""
    started = []

    def start():
        started.append(holt.Kernel(cwd=tmp_path, env={"TENSORBOARD_BINARY": TENSORBOARD}))
        return started[-1]

    yield start
    for k in started:
        k.close()


def test_one_for_all(kernels, tmp_path):
    first = kernels()
    first.do(LOG)
    assert "nothing needs to be loaded" in first.do("%load_ext tensorboard").stdout
    text, html = shown(first.do("%tensorboard --logdir runs", timeout=200))
    address = re.match(r"TensorBoard of runs: (http://localhost:\d+/)\n", text).group(1)
    pid = int(re.search(r"It ends with this kernel, or by !kill (\d+)", text).group(1))
    assert f'<iframe src="{address}" width="100%" height="800"' in html and f'<a href="{address}"' in html and "<script" not in html

    # What the cell logged.
    assert get(address, "data/plugin/scalars/tags") == {"course": {"train/loss": {"displayName": "", "description": ""}}}
    points = get(address, "data/plugin/scalars/scalars?run=course&tag=train%2Floss")
    assert [p[1:] for p in points] == [[0, 1], [1, 0.5], [2, pytest.approx(1 / 3)]]

    # Another kernel, and Python's %tensorboard, show the same one.
    second = kernels()
    again, _ = shown(second.do("%tensorboard --logdir=./runs --height 300"))
    assert f"TensorBoard of ./runs: {address}\nIt ran already, as process {pid}, since " in again
    python = Path(TENSORBOARD).read_text().partition("\n")[0].removeprefix("#!")
    found = subprocess.run(
        [python, "-c", "from tensorboard import manager; r = manager.start(['--logdir', 'runs']); print(type(r).__name__, r.info.pid)"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert found.stdout == f"StartReused {pid}\n", found.stderr

    # It ends with its kernel, also when that is killed.
    first.manager.provisioner.process.kill()
    end = time.monotonic() + 60
    while alive(pid):
        assert time.monotonic() < end, "TensorBoard outlives its killed kernel"
        time.sleep(0.1)
    text, _ = shown(second.do("%tensorboard --logdir runs", timeout=200))
    mine = int(re.search(r"It ends with this kernel, or by !kill (\d+)", text).group(1))
    assert mine != pid
    second.client.shutdown()
    second.manager.provisioner.process.wait(timeout=30)
    assert not alive(mine), "TensorBoard outlives its kernel"


def test_errors(kernels):
    k = kernels()
    ran = k.fail("%tensorboard runs")
    assert ran.evalue == "%tensorboard: no --logdir, want the folder that board.Open was given, or one above it; try %tensorboard --logdir runs"
    ran = k.fail("%tensorboard --logdir runs --nosuch", timeout=200)
    assert "TensorBoard ended before it served (exit status 2)" in ran.evalue and "unrecognized arguments: --nosuch" in ran.evalue
    assert "there is no folder" in ran.stderr and "once something is logged there" in ran.stderr
    ran = k.fail("%env TENSORBOARD_BINARY=/no/such\n%tensorboard --logdir runs")
    assert ran.evalue == '%tensorboard: TENSORBOARD_BINARY is "/no/such", want a program; set it to one, or unset it'
