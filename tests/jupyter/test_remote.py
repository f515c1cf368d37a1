"""Kernels on another machine, over a real ssh: holt remote."""

import json
import os
import shutil
import subprocess
import sys

import machine
import pytest
from jupyter_client import BlockingKernelClient

import holt

pytestmark = pytest.mark.skipif(machine.missing() is not None, reason=str(machine.missing()))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The other machine, which holt was not yet added to."""
    m = machine.Machine(tmp_path_factory.mktemp("lab"))
    m.up()
    yield m
    m.down()


def env(lab):
    """The environment of this machine: what holt remote adds goes to the test's folder."""
    return {"HOLT_HOME": str(lab.folder / "holt")}


def holt_remote(lab, *args):
    return holt.command("remote", *args, env=env(lab), timeout=holt.FIRST_CELL)


def add(lab, *options, name="lab", destination="lab"):
    return holt_remote(lab, "add", name, destination, "--ssh-config", str(lab.config), "--prefix", str(lab.folder / "prefix"), *options)


@pytest.fixture(scope="module")
def added(lab):
    """The other machine with holt on it."""
    done = add(lab)
    assert done.returncode == 0, done.stderr
    lab.said = done.stderr + done.stdout
    os.environ["JUPYTER_PATH"] += os.pathsep + str(lab.folder / "prefix" / "share" / "jupyter")
    return lab


def start(lab, name="holt-lab"):
    k = holt.Kernel(env=env(lab), name=name)
    k.warm = True
    return k


@pytest.fixture
def kernel(added):
    k = start(added)
    yield k
    k.close()
    machine.eventually("the kernel is left behind", lambda: not added.sessions())


@pytest.mark.parametrize(
    "name, change, wants",
    [
        ("wrong host", {"host": "no-such-host.invalid"}, ["Could not resolve hostname no-such-host.invalid", "; check the name, or give it an alias in ~/.ssh/config"]),
        ("no sshd", {"port": machine.free_port()}, ["Connection refused; is sshd running there, and on this port?"]),
        ("no such key", {"key": "other_key"}, ["Permission denied (publickey).; no key of yours is accepted there: put one there with ssh-copy-id lab"]),
    ],
)
def test_add_fails(lab, name, change, wants):
    lab.write_config(**change)
    try:
        done = add(lab)
    finally:
        lab.write_config()
    assert done.returncode == 1
    assert done.stderr.startswith("holt: remote: lab: ssh lab: ")
    for want in wants:
        assert want in done.stderr, done.stderr


def test_add_fails_with_another_host_key(lab):
    lab.change_host_key()
    try:
        done = add(lab)
    finally:
        lab.restore_host_key()
    assert done.returncode == 1
    assert "the machine shows another host key than before; if it was installed anew, forget the old key with ssh-keygen -R lab" in done.stderr


def test_add_fails_without_go(lab):
    profile = lab.home / ".profile"
    before = profile.read_text()
    # A Go that is too old, in front of every other.
    old = lab.folder / "old"
    old.mkdir()
    (old / "go").write_text('#!/bin/sh\necho "go version go1.19 linux/amd64"\ncase "$*" in *GOVERSION*) echo go1.19;; esac\n')
    (old / "go").chmod(0o755)
    profile.write_text(f'PATH="{old}:/usr/bin:/bin"\n')
    try:
        done = add(lab)
    finally:
        profile.write_text(before)
    assert done.returncode == 1
    assert "MISSING  Go " in done.stderr and "https://go.dev/dl" in done.stderr, done.stderr
    assert "remote: lab: cells cannot be compiled there: install on that machine what is MISSING above" in done.stderr


def test_add_again(added):
    binary = added.home / ".local/share/holt/bin/holt"
    before = binary.stat()
    done = add(added)
    assert done.returncode == 0, done.stderr
    assert "has holt" in done.stderr and "already" in done.stderr and "copying" not in done.stderr
    assert binary.stat().st_ino == before.st_ino
    spec = json.loads((added.folder / "prefix/share/jupyter/kernels/holt-lab/kernel.json").read_text())
    assert spec["display_name"] == "Go (holt) on lab" and spec["interrupt_mode"] == "message"
    assert spec["argv"][1:] == ["remote", "kernel", "lab", "-f", "{connection_file}"]
    assert "lab" in holt_remote(added, "list").stdout


def test_upgrade(added):
    binary = added.home / ".local/share/holt/bin/holt"
    binary.unlink()
    (binary.parent / "holt.for").unlink()
    binary.write_text("#!/bin/sh\necho holt v0.0.1 1.26.0\n")
    binary.chmod(0o755)
    done = add(added, "--no-warm")
    assert done.returncode == 0, done.stderr
    assert "holt v0.0.1 on lab is replaced by" in done.stderr and "copying holt" in done.stderr
    assert binary.stat().st_size > 1 << 20


def test_cells(added, kernel):
    assert kernel.do('import "os"\nos.Getenv("HOME")').result == str(added.home)
    dir = kernel.do('wd, _ := os.Getwd()\nwd').result
    assert dir == str(added.home)
    listed = holt_remote(added, "list", "lab").stdout
    assert "idle" in listed and "connected" in listed, listed
    # The connection file's key is in no command line.
    key = kernel.manager.session.key.decode()
    ps = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert "remote agent" in ps and key not in ps


def test_cut_line(added, kernel):
    kernel.do("x := 41")
    cell = kernel.start('import "time"\nfor i := range 40 { fmt.Println(i); x++; time.Sleep(100 * time.Millisecond) }')
    kernel.wait_output("5\n")
    machine.cut(kernel)
    ran = kernel.finish(cell)
    assert ran.ok
    lines = ran.stdout.split()
    assert lines == [str(i) for i in range(40 - len(lines), 40)] and len(lines) >= 30, ran.stdout
    assert kernel.do("x").result == "81"
    cell = kernel.start('fmt.Println("going")\nfor {\n}')
    kernel.wait_output("going")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(cell).ename == "Interrupted"
    assert kernel.do("x").result == "81"


def test_questions(kernel):
    cell = kernel.start('%with_inputs\n!read name; echo "hello $name"', allow_stdin=True)
    question = kernel.client.get_stdin_msg(timeout=60)
    assert question["msg_type"] == "input_request"
    kernel.client.input("gopher")
    assert "hello gopher" in kernel.finish(cell).stdout


def test_restart(added, kernel):
    kernel.do("x := 1")
    before = added.sessions()
    kernel.manager.restart_kernel(now=False)
    kernel.client.wait_for_ready(timeout=60)
    assert kernel.fail("x").ename == "CompileError"
    machine.eventually("the first kernel is left behind", lambda: len(added.sessions()) == 1)
    assert added.sessions() != before


def test_grace(added):
    assert add(added, "--grace", "2s", "--no-warm", name="brief").returncode == 0
    k = start(added, "holt-brief")
    try:
        cell = k.start('fmt.Println("going")\nfor {\n}')
        k.wait_output("going")
        added.down()
        machine.cut(k)
        ran = k.finish(cell)
        assert ran.ename == "KernelLost"
        assert "remote: brief: the line was cut and could not be made again for 2s, so the kernel there has ended" in ran.evalue
        assert k.manager.provisioner.process.wait(timeout=60) == 1
        machine.eventually("the kernel is left behind", lambda: not added.sessions())
    finally:
        added.up()
        k.close()
    assert "is forgotten here" in holt_remote(added, "remove", "brief").stdout
    assert not (added.folder / "prefix/share/jupyter/kernels/holt-brief").exists()


def test_stop(added):
    k = start(added)
    try:
        assert "stopped" in holt_remote(added, "stop", "lab", "--all").stdout
        assert k.manager.provisioner.process.wait(timeout=60) == 0
        machine.eventually("the kernel is left behind", lambda: not added.sessions())
        assert "no kernel runs on lab" in holt_remote(added, "list", "lab").stdout
    finally:
        k.close()


@pytest.fixture
def by_hand(added):
    """The connection file of a kernel that was started there by hand, as docs/remote.md says."""
    line = subprocess.Popen(
        [machine.SSH, "-F", str(added.config), "lab", f"cd {added.home} && exec .local/share/holt/bin/holt kernel -f kernel.json"],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "JPY_PARENT_PID": ""},
    )
    there = added.home / "kernel.json"
    machine.eventually("there is no connection file", lambda: there.exists() and there.read_text().endswith("}\n"))
    assert there.stat().st_mode & 0o777 == 0o600
    here = added.folder / "kernel.json"
    shutil.copy(there, here)  # scp
    yield here
    assert line.wait(timeout=60) == 0  # the client has shut it down
    there.unlink()
    here.unlink()


def use(cfg):
    """Runs a cell by the ports of a connection file, and shuts the kernel down."""
    client = BlockingKernelClient()
    client.load_connection_info(cfg)
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        shown = []
        reply = client.execute_interactive("6 * 7", timeout=holt.CELL, output_hook=lambda m: shown.append(m["content"]))
        assert reply["content"]["status"] == "ok"
        assert any(c.get("data", {}).get("text/plain") == "42" for c in shown), shown
        client.shutdown()
        client.get_control_msg(timeout=60)
    finally:
        client.stop_channels()


PORTS = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"]


def test_plain_tunnel(added, by_hand):
    """ssh -L, a port each."""
    cfg = json.loads(by_hand.read_text())
    forwards = []
    for name in PORTS:
        port = machine.free_port()
        forwards += ["-L", f"{port}:127.0.0.1:{cfg[name]}"]
        cfg[name] = port
    tunnel = subprocess.Popen([machine.SSH, "-F", str(added.config), "-N", *forwards, "lab"])
    try:
        machine.eventually("the tunnel does not open", lambda: machine.listens(cfg["shell_port"]))
        use(cfg)
    finally:
        tunnel.kill()
        tunnel.wait()


def test_console(added, by_hand):
    """jupyter console --existing FILE --ssh HOST."""
    pytest.importorskip("jupyter_console", reason="jupyter_console is not installed")
    pexpect = pytest.importorskip("pexpect")
    path = os.pathsep.join([str(added.bin), os.environ["PATH"]])
    console = pexpect.spawn(
        sys.executable,
        ["-m", "jupyter_console", "--existing", str(by_hand), "--ssh", "lab"],
        env={**os.environ, "PATH": path, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        encoding="utf-8", dimensions=(50, 200), echo=False, timeout=2 * holt.CELL,
    )  # fmt: skip
    try:
        console.expect(r"In .*\[")
        console.send("6 * 7\r")
        console.expect("42")
    finally:
        console.close(force=True)
        use(json.loads(by_hand.read_text()))  # straight to its ports, as the machines are one
