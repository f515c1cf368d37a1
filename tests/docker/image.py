"""docker/Dockerfile without Docker: its steps, run by chroot in a fresh Debian root.

The root stands for the image that FROM names: the same user, folders and environment as Jupyter's images, with
Debian's Python in the place of conda's. Every command runs in namespaces of its own, so that nothing stays mounted or running
when it ends. Root and debootstrap are needed.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from dockerfile_parse import DockerfileParser

CHECKOUT = Path(__file__).resolve().parents[2]
SUITE = os.environ.get("HOLT_DEBIAN", "bookworm")
JOVYAN = {"NB_USER": "jovyan", "NB_UID": "1000", "NB_GID": "100", "CONDA_DIR": "/opt/conda", "HOME": "/home/jovyan",
          "LANG": "C.UTF-8", "PATH": "/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}  # fmt: skip

# How this machine reaches the network, which is no part of the image.
NETWORK = {k: v for k, v in os.environ.items()
           if k.lower().endswith("_proxy") or k in ("GOPROXY", "GOSUMDB", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE")}  # fmt: skip


class Image:
    """A root, and what the Dockerfile's lines up to now say of the next one."""

    def __init__(self, root):
        self.root = Path(root)
        self.env = dict(JOVYAN)
        self.args = {}
        self.user = "root"
        self.workdir = "/"

    def base(self):
        """Makes the root, and in it what Jupyter's base image has."""
        if (self.root / "opt/conda/bin/jupyter").exists():
            for folder in ("opt/holt", "usr/local/go", "home/jovyan/holt-notebooks"):
                shutil.rmtree(self.root / folder, ignore_errors=True)
            self.user = "1000"
            return
        subprocess.run(["debootstrap", "--variant=minbase", "--include=ca-certificates,python3,python3-venv", SUITE, self.root],
                       check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        for file in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
            shutil.copyfile(file, self.root / file[1:])
        shutil.copytree(CHECKOUT / "requirements", self.root / "tmp/requirements")
        shutil.copytree(CHECKOUT / "python", self.root / "tmp/python")
        self.run("useradd --no-log-init --create-home --uid $NB_UID --gid $NB_GID $NB_USER && install -d -o $NB_UID -g $NB_GID $CONDA_DIR")
        self.user = "1000"
        self.run("python3 -m venv $CONDA_DIR && cd /tmp && pip install --quiet --require-hashes -r requirements/lab.txt && "
                 "pip install --quiet --no-deps --no-build-isolation --no-index ./python/holt_papermill")

    def build(self, dockerfile, **args):
        """Runs the Dockerfile's steps, with build arguments."""
        stage = 0
        for line in DockerfileParser(fileobj=open(dockerfile, "rb")).structure:
            value = line["value"]
            match line["instruction"]:
                case "COMMENT":
                    pass
                case "ARG":
                    name, _, default = value.partition("=")
                    self.args[name] = args.get(name, default)
                case "FROM":
                    stage += 1
                case "USER":
                    self.user = self.expand(value)
                case "WORKDIR":
                    self.workdir = self.expand(value)
                    (self.root / self.workdir[1:]).mkdir(parents=True, exist_ok=True)
                case "ENV":
                    self.env |= {k: v for k, _, v in (word.partition("=") for word in shlex.split(self.expand(value)))}
                case "COPY":
                    self.copy(shlex.split(self.expand(value)))
                case "RUN":
                    self.run(value)
                case other:
                    raise NotImplementedError(f"{dockerfile}: {other}")
        assert stage == 2, f"{stage} stages, of which the test knows two: Go's image and Jupyter's"

    def expand(self, value):
        return re.sub(r"\$\{(\w+)\}", lambda m: {**self.args, **self.env}[m[1]], value)

    def copy(self, words):
        flags = dict(w[2:].split("=", 1) for w in words if w.startswith("--"))
        *sources, target = (w for w in words if not w.startswith("--"))
        to = self.root / (target if target.startswith("/") else f"{self.workdir}/{target}")[1:]
        if flags.get("from") == "go":
            assert sources == ["/usr/local/go"], sources
            goroot = subprocess.run(["go", "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip()
            shutil.copytree(goroot, to, symlinks=True)
            return
        for source in sources:
            if source != ".":
                shutil.copy(CHECKOUT / source, to)
                continue
            # What git does not ignore is what .dockerignore lets through: test_files.py compares them.
            listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=CHECKOUT, check=True, capture_output=True).stdout
            with subprocess.Popen(["tar", "-C", CHECKOUT, "--null", "-T", "-", "--ignore-failed-read", "-cf", "-"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pack:  # fmt: skip
                unpack = subprocess.Popen(["tar", "-C", to, "-xf", "-"], stdin=pack.stdout)
                pack.stdin.write(listed)
                pack.stdin.close()
                assert unpack.wait() == 0
        if owner := flags.get("chown"):
            subprocess.run(["chown", "-R", owner, to], check=True)

    def command(self, script, user=None, network=True, **env):
        """The words that run a script in the root, as docker run does: in namespaces of its own, with a clean environment."""
        user = user or (self.user if self.user == "root" else f"{self.user}:{self.env['NB_GID']}")
        env = {**NETWORK, **self.args, **self.env, **env}
        outer = f"""
            {'' if network else 'ip link set lo up'}
            mount -t proc proc {self.root}/proc
            mount --rbind /dev {self.root}/dev
            exec chroot --userspec={user} --groups= {self.root} /usr/bin/env -i "$@"
        """
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"]), "sh", "-euc", outer, "sh",
                *(f"{k}={v}" for k, v in env.items()), "sh", "-c", f"cd {shlex.quote(self.workdir)} && {script}"]  # fmt: skip

    def run(self, script, **how):
        """Runs a script and returns what it printed; fails with that."""
        done = subprocess.run(self.command(script, **how), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"RUN {script}\n{done.stdout[-6000:]}"
        return done.stdout
