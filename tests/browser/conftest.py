import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "jupyter"))
import holt  # noqa: E402

OUT = Path(__file__).parent / "out"
CHROMIUM = os.environ.get("HOLT_CHROMIUM") or next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)


class Lab:
    """A JupyterLab that knows the holt under test, and nothing of the user's."""

    def __init__(self, folder):
        self.folder = folder / "notebooks"
        self.folder.mkdir()
        prefix = folder / "prefix"
        for args in (["install", "--prefix", str(prefix)], ["gopls"], ["warm", "--quiet"]):
            done = holt.command(*args, timeout=holt.FIRST_CELL)
            assert done.returncode == 0, done.stderr
        news = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        news.parent.mkdir(parents=True)
        news.write_text('{"fetchNews": "false"}')  # or a question covers the page
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.log = open(folder / "lab.log", "w+")
        env = {
            **os.environ,
            "JUPYTER_PATH": str(prefix / "share" / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "HOLT_HISTORY": str(folder / "history.jsonl"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={self.folder}",
             "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=test",
             "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
            env=env, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api", timeout=5)
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, f"JupyterLab does not start: {self.said()}"
                time.sleep(0.2)

    def said(self):
        self.log.seek(0)
        return self.log.read()[-3000:]

    def url(self, notebook):
        # A workspace of its own, or the page opens the notebooks of earlier tests again.
        return f"http://127.0.0.1:{self.port}/lab/workspaces/{Path(notebook).stem}/tree/{notebook}?token=test"

    def close(self):
        self.process.terminate()  # and with it its kernels
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    OUT.mkdir(exist_ok=True)
    with sync_playwright() as p:
        # Tests may run as root in a container, where Chromium's sandbox cannot.
        b = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield b
        b.close()
