import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "jupyter"))
import holt  # noqa: E402

OUT = Path(__file__).parent / "out"
CHROMIUM = os.environ.get("HOLT_CHROMIUM") or next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)

FAILED = re.compile("Error Starting Kernel|Select Kernel|Kernel Restarting|Server Connection Error")


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

    def open(self, page, notebook, workspace=None, query=""):
        """Opens a notebook, and waits for its kernel. A workspace of its own, or the page opens those of earlier tests again.

        JupyterLab asks in front of the page when a kernel or the server fails it, for a moment too. It gets the
        answer by which a person goes on, and what it said is among the tests' warnings."""

        def go_on(asked):
            warnings.warn(f"JupyterLab asked in front of {notebook}: {asked.inner_text()}\n{self.said()}", stacklevel=1)
            asked.locator("button.jp-mod-accept").click()

        asked = page.locator(".jp-Dialog").filter(has_text=FAILED).first
        idle = page.get_by_text("Go (holt) | Idle").first
        page.add_locator_handler(asked, go_on)
        workspace = workspace or Path(notebook).stem
        page.goto(f"http://127.0.0.1:{self.port}/lab/workspaces/{workspace}/tree/{notebook}?token=test{query}")
        idle.or_(asked).first.wait_for(state="attached")
        while asked.count():
            go_on(asked)
            idle.or_(asked).first.wait_for(state="attached")

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds to a failure what its pages ask, as a question in front of a page keeps a test from all of it."""
    report = yield
    if report.failed and (browser := getattr(item, "funcargs", {}).get("browser")):
        for page in (page for context in browser.contexts for page in context.pages):
            for dialog in page.locator(".jp-Dialog").all():
                report.sections.append((f"a question in front of {page.url}", dialog.inner_text()))
    return report


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    OUT.mkdir(exist_ok=True)
    with sync_playwright() as p:
        # Tests may run as root in a container, where Chromium's sandbox cannot.
        b = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield b
        b.close()
