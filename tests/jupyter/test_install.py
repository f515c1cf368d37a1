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


def tools(folder):
    """A PATH with what a batch run needs, and no Jupyter."""
    path = folder / "tools"
    path.mkdir()
    for name in ("go", "gcc"):
        (path / name).symlink_to(shutil.which(name))
    return str(path)


def test_doctor(installed, tmp_path):
    done = holt.command("doctor")
    for line in ["Go ", "C compiler", "gold linker", "Go modules", "Jupyter", "kernelspec", "GPU", "backend cpu", "backend cuda", "backend go"]:
        assert line in done.stdout, done.stdout
    # A copy has no checkout around it, in which Jupyter would be found.
    holt_bin, holt.HOLT = holt.HOLT, shutil.copy(holt.HOLT, tmp_path / "holt")
    env = {"JUPYTER_PATH": "", "HOME": str(tmp_path), "VIRTUAL_ENV": ""}
    try:
        nothing = holt.command("doctor", env={**env, "PATH": str(tmp_path), "GOROOT": ""})
        assert nothing.returncode == 1
        assert "MISSING" in nothing.stdout and "holt install" in nothing.stdout
        batch = holt.command("doctor", env={**env, "PATH": tools(tmp_path)})
    finally:
        holt.HOLT = holt_bin
    assert batch.returncode == 0, batch.stdout
    assert "MISSING" not in batch.stdout and "Holt can run here" in batch.stdout


def test_beside(tmp_path):
    """What make leaves in a checkout is found by bin/holt without an environment variable."""
    (tmp_path / "bin").mkdir()
    for name in (".holt/plugins/cpu", ".venv/bin"):
        (tmp_path / name).mkdir(parents=True)
    plugin = tmp_path / ".holt" / "plugins" / "cpu" / "pjrt_c_api_cpu_plugin.so"
    plugin.write_bytes(b"")
    lab = tmp_path / ".venv" / "bin" / "jupyter-lab"
    lab.write_text("#!/bin/sh\necho 4.6.6\n")
    lab.chmod(0o755)
    holt_bin, holt.HOLT = holt.HOLT, shutil.copy(holt.HOLT, tmp_path / "bin" / "holt")
    try:
        done = holt.command("doctor", env={"HOLT_HOME": "", "PJRT_PLUGIN_LIBRARY_PATH": "", "PATH": tools(tmp_path)})
    finally:
        holt.HOLT = holt_bin
    assert done.returncode == 0, done.stdout
    assert str(plugin) in done.stdout
    assert f"jupyter-lab 4.6.6, {lab} (not in PATH; make lab uses it)" in done.stdout


def test_version():
    assert holt.command("version").stdout.startswith("holt ")


def test_usage_errors():
    for args in (["kernel"], ["install", "--user", "--sys-prefix"], ["nonsense"]):
        done = holt.command(*args)
        assert done.returncode != 0 and done.stderr + done.stdout
    done = holt.command("kernel", "-f", "/no/such/file.json")
    assert done.returncode == 1 and "holt: wire: connection file: open /no/such/file.json" in done.stderr
