"""Another machine for tests: a real sshd on this one, with a home of its own."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
SSH = shutil.which("ssh")


def missing():
    """Why there can be no other machine here, None where there can."""
    for name, found in {"sshd": SSHD, "ssh": SSH, "ssh-keygen": shutil.which("ssh-keygen")}.items():
        if not found:
            return f"{name} is not installed (Debian, Ubuntu: apt-get install openssh-server openssh-client)"
    return None


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Machine:
    """A machine that ssh reaches as "lab" by the file self.config."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.config = self.folder / "ssh_config"
        self.port = free_port()
        self.process = None
        for name in ["host_key", "user_key", "other_key"]:
            self._keygen(name)
        shutil.copy(self.folder / "user_key.pub", self.folder / "authorized_keys")
        self._know_host()
        self.write_config()
        # What takes long to make is shared with this machine.
        go = subprocess.run(["go", "env", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY"], capture_output=True, text=True, check=True)
        env = dict(zip(["GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY"], go.stdout.splitlines()))
        env["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        env["HOME"] = str(self.home)
        # As on many machines, Go is in PATH for logins only, and logins talk.
        (self.home / ".profile").write_text(f'export PATH="{os.environ["PATH"]}"\necho Welcome to lab\n')
        (self.folder / "sshd_config").write_text(
            f"""Port {self.port}
ListenAddress 127.0.0.1
HostKey {self.folder}/host_key
AuthorizedKeysFile {self.folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
SetEnv {" ".join(f'"{k}={v}"' for k, v in env.items())}
"""
        )
        # A program named ssh, for those that cannot be told of a config.
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        wrapper = self.bin / "ssh"
        # jupyter_client closes the terminal of ssh -f maybe before ssh has left it, and the
        # hangup would end the tunnel.
        wrapper.write_text(f'#!/bin/sh\ntrap "" HUP\nexec {SSH} -F {self.config} "$@"\n')
        wrapper.chmod(0o755)

    def _keygen(self, name):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)], check=True)

    def _know_host(self, key="host_key"):
        public = (self.folder / f"{key}.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}")

    def write_config(self, key="user_key", host="127.0.0.1", port=None):
        self.config.write_text(
            f"""Host lab
  HostName {host}
  Port {port or self.port}
  User {getpass.getuser()}
  IdentityFile {self.folder}/{key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {self.folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""
        )

    def change_host_key(self):
        """What is known of the host becomes another key than it shows."""
        self._know_host("other_key")

    def restore_host_key(self):
        self._know_host()

    def up(self):
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd wants it, as packages make it
        log = open(self.folder / "sshd.log", "a")
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")], stderr=log)
        for _ in range(600):
            if listens(self.port):
                return
            time.sleep(0.1)
        raise AssertionError(f"sshd does not listen: {(self.folder / 'sshd.log').read_text()}")

    def down(self):
        """No line can be made any more. Those that are stay."""
        self.process.terminate()
        self.process.wait(timeout=10)

    def run(self, command, **options):
        """Runs a command of the shell there."""
        return subprocess.run([SSH, "-F", str(self.config), "lab", command], capture_output=True, text=True, timeout=60, **options)

    def sessions(self):
        """The kernels that are kept there."""
        return list((self.home / ".local/state/holt/remote").glob("*"))


def children(pid):
    """The processes that pid started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def cut(kernel):
    """Kills the ssh of a kernel's proxy."""
    for pid in children(kernel.manager.provisioner.process.pid):
        os.kill(pid, signal.SIGKILL)


def eventually(what, check, timeout=60):
    end = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < end, what
        time.sleep(0.1)
