"""pip install holt-kernel, into environments with nothing in them: what it brings works where there is no checkout."""

import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import zipfile

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "scripts" / "release.py"
HERE = "linux/" + {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
FIRST_CELL = 600  # seconds: the first start on a cold cache builds the host


def run(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True)
    assert done.returncode == 0, f"{args}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheels for this machine and for Windows."""
    out = tmp_path_factory.mktemp("dist")
    said = run(sys.executable, RELEASE, "wheels", "--version", "v1.2.3-rc.1", "--out", out, HERE, "windows/amd64")
    made = sorted(out.iterdir())
    assert sorted(said.split()) == [str(f) for f in made]
    return made


@pytest.fixture(scope="module", params=["pip", "uv"])
def venv(request, wheels, tmp_path_factory):
    """A bare environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("venv")
    python = folder / "bin" / "python"
    if request.param == "pip":
        run(sys.executable, "-m", "venv", folder)
        install = [python, "-m", "pip", "install", "--quiet"]
    else:
        uv = shutil.which("uv", path=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        install = [uv, "pip", "install", "--quiet", "--python", python]
    run(*install, "--no-index", wheels[0])
    return folder


def test_names(wheels):
    here, windows = (f.name for f in wheels)
    assert here.startswith("holt_kernel-1.2.3rc1-py3-none-manylinux") and here.endswith(f"_{platform.machine()}.whl")
    assert windows == "holt_kernel-1.2.3rc1-py3-none-win_amd64.whl"


def test_windows(wheels):
    names = zipfile.ZipFile(wheels[1]).namelist()
    assert "holt_kernel-1.2.3rc1.data/scripts/holt.exe" in names
    assert not [n for n in names if "share" in n]  # a kernel that cannot start is in no menu


def test_program(venv, tmp_path):
    assert run(venv / "bin" / "holt", "version").startswith("holt v1.2.3-rc.1 ")
    assert run(venv / "bin" / "python", "-m", "holt_kernel", "version").startswith("holt v1.2.3-rc.1 ")
    run(venv / "bin" / "holt", "course", tmp_path / "course")
    assert (tmp_path / "course" / "quickstart.ipynb").exists()


def test_kernel(venv, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(venv / "share" / "jupyter"))
    monkeypatch.setenv("HOLT_HISTORY", "")
    spec = KernelSpecManager().get_kernel_spec("holt")
    assert spec.display_name == "Go (holt)" and pathlib.Path(spec.resource_dir).is_relative_to(venv)
    manager = KernelManager(kernel_name="holt")
    # Jupyter in the environment would put that environment's Python in the place of the word; this one is in another.
    manager.kernel_spec.argv[0] = str(venv / "bin" / "python")
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=FIRST_CELL)
        shown = []
        reply = client.execute_interactive("6 * 7", timeout=FIRST_CELL, output_hook=shown.append)
        assert reply["content"]["status"] == "ok"
        assert [m["content"]["data"]["text/plain"] for m in shown if m["msg_type"] == "execute_result"] == ["42"]
        info = client.kernel_info(reply=True, timeout=60)["content"]
        assert info["implementation_version"].startswith("v1.2.3-rc.1"), json.dumps(info)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)


def test_wrong_arguments():
    for args, said in [
        (["wheels", "--version", "1.2"], "release.py: the version is 1.2, want one such as v1.2.3 or v1.2.3-rc.1"),
        (["archives", "plan9/mips"], "release.py: the target is plan9/mips, want one of linux/amd64 linux/arm64 "
            "darwin/amd64 darwin/arm64 windows/amd64"),
    ]:
        done = subprocess.run([sys.executable, RELEASE, *args], capture_output=True, text=True)
        assert done.returncode == 1 and done.stderr.strip() == said
