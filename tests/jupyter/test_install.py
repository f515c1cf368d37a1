"""What holt does at the command line."""

import json
import os
import shutil
import stat

from jupyter_client.kernelspec import KernelSpecManager

import holt


def test_kernelspec(installed):
    folder = installed / "share" / "jupyter" / "kernels" / "holt"
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["display_name"] == "Go (holt)" and spec["language"] == "go"
    assert spec["interrupt_mode"] == "message"
    binary = spec["argv"][0]
    assert os.path.isabs(binary) and os.stat(binary).st_mode & stat.S_IXUSR
    assert spec["argv"][1:] == ["kernel", "-f", "{connection_file}"]
    assert spec["env"]["PATH"].startswith("${PATH}")
    for logo in ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]:
        assert (folder / logo).stat().st_size > 500


def test_jupyter_finds_it(installed):
    assert "holt" in KernelSpecManager().find_kernel_specs()


def test_user_install_and_uninstall(tmp_path):
    env = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "JUPYTER_DATA_DIR": "", "HOLT_HOME": ""}
    # The program that installs may vanish: the checkout is gone.
    program = shutil.copy(holt.HOLT, tmp_path / "holt")
    holt_bin, holt.HOLT = holt.HOLT, program
    try:
        done = holt.command("install", "--user", "--name", "other", env={**env, "PJRT_PLUGIN_LIBRARY_PATH": ""})
        assert done.returncode == 0
        assert "XLA is not installed, and networks train slowly without it: " in done.stdout
        assert "/share/holt/bin/holt backend install cpu\n" in done.stdout
        os.remove(program)
    finally:
        holt.HOLT = holt_bin
    folder = tmp_path / ".local" / "share" / "jupyter" / "kernels" / "other"
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["argv"][0].startswith(str(tmp_path / ".local"))
    assert os.path.exists(spec["argv"][0])
    assert holt.command("uninstall", "--name", "other", env=env).returncode == 0
    assert not folder.exists()
    assert holt.command("uninstall", "--name", "other", env=env).returncode == 1


def test_doctor(installed, tmp_path):
    done = holt.command("doctor")
    for line in ["Go ", "C compiler", "gold linker", "Go modules", "Jupyter", "kernelspec", "GPU", "backend cpu", "backend cuda", "backend go"]:
        assert line in done.stdout, done.stdout
    nothing = holt.command("doctor", env={"PATH": str(tmp_path), "JUPYTER_PATH": "", "HOME": str(tmp_path), "VIRTUAL_ENV": "", "GOROOT": ""})
    assert nothing.returncode == 1
    assert "MISSING" in nothing.stdout and "holt install" in nothing.stdout


def test_version():
    assert holt.command("version").stdout.startswith("holt ")


def test_usage_errors():
    for args in (["kernel"], ["install", "--user", "--sys-prefix"], ["nonsense"]):
        done = holt.command(*args)
        assert done.returncode != 0 and done.stderr + done.stdout
    done = holt.command("kernel", "-f", "/no/such/file.json")
    assert done.returncode == 1 and "holt: wire: connection file: open /no/such/file.json" in done.stderr
