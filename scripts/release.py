#!/usr/bin/env python3
"""Builds holt for other machines: archives with their checksums, and wheels for pip.

    release.py archives [--version v1.2.3] [--out DIR] [TARGET…]
    release.py wheels   [--version v1.2.3] [--out DIR] [TARGET…]

A target is a system and a processor as Go names them, such as linux/arm64; all of them unless some are named. Without a
version it is that of the revision. The programs are built without cgo, so that they need no C library of some age, and
the same revision gives the same archives. Wheels take hatchling, from requirements/test.txt.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The platforms of wheels. The programs run on any Linux with glibc, of which pip numbers 2.17 as the oldest in use;
# on macOS Go 1.26 needs version 12.
TARGETS = {
    "linux/amd64": "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "linux/arm64": "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "darwin/amd64": "macosx_12_0_x86_64",
    "darwin/arm64": "macosx_12_0_arm64",
    "windows/amd64": "win_amd64",
}


ZIP_EPOCH = 315532800  # 1980, before which zip has no dates


def output(*args):
    return subprocess.run(args, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def revision():
    """The revision that is checked out, and when it was made; nothing where there is no git."""
    try:
        rev, when = output("git", "log", "-1", "--format=%H %ct").split()
        return rev, int(when)
    except (subprocess.CalledProcessError, OSError):
        return "", 0


def python_version(version):
    """A version of Go's as PEP 440 has it: v1.2.3-rc.1 is 1.2.3rc1."""
    m = re.fullmatch(r"v(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.(\d+))?", version)
    if m:
        return m[1] + {"alpha": "a", "beta": "b", "rc": "rc", None: ""}[m[2]] + (m[3] or "")
    m = re.fullmatch(r"devel(?:-([0-9a-f]+))?", version)
    if m:
        return "0.0.0.dev0" + (f"+g{m[1]}" if m[1] else "")
    sys.exit(f"release.py: the version is {version}, want one such as v1.2.3 or v1.2.3-rc.1")


def build(target, version, folder):
    """Builds holt for a target, and returns its path."""
    system, processor = target.split("/")
    program = folder / ("holt.exe" if system == "windows" else "holt")
    flags = f"-s -w -X github.com/holt-dl/holt/internal/buildinfo.linked={version}"
    env = {**os.environ, "CGO_ENABLED": "0", "GOOS": system, "GOARCH": processor}
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", program, "./cmd/holt"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
    return program


def archive(target, version, when, out):
    """Writes holt_VERSION_SYSTEM_PROCESSOR.tar.gz, or .zip for Windows."""
    with tempfile.TemporaryDirectory() as folder:
        program = build(target, version, pathlib.Path(folder))
        name = f"holt_{version}_{target.replace('/', '_')}"
        files = [(program, 0o755), (ROOT / "LICENSE", 0o644), (ROOT / "README.md", 0o644)]
        if target.startswith("windows/"):
            file = out / (name + ".zip")
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
                for path, _ in files:
                    info = zipfile.ZipInfo(f"{name}/{path.name}", time.gmtime(max(when, ZIP_EPOCH))[:6])
                    z.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
            return file
        file = out / (name + ".tar.gz")
        with (
            open(file, "wb") as f,
            gzip.GzipFile("", "wb", 9, f, mtime=when) as g,
            tarfile.open(fileobj=g, mode="w") as t,
        ):
            for path, mode in files:
                data = path.read_bytes()
                info = tarfile.TarInfo(f"{name}/{path.name}")
                info.size, info.mode, info.mtime = len(data), mode, when
                t.addfile(info, io.BytesIO(data))
        return file


def kernelspec(holt, stage):
    """Puts the kernelspec and the templates for nbconvert where the wheel takes them from."""
    with tempfile.TemporaryDirectory() as prefix:
        subprocess.run([holt, "install", "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        shutil.copytree(pathlib.Path(prefix, "share", "jupyter"), stage / "share" / "jupyter")
    file = stage / "share" / "jupyter" / "kernels" / "holt" / "kernel.json"
    spec = json.loads(file.read_text())
    # Jupyter puts its own Python in the place of the word. Paths of this machine are of no use on another.
    spec["argv"] = ["python", "-m", "holt_kernel", *spec["argv"][1:]]
    spec["env"] = {}
    file.write_text(json.dumps(spec, indent=2) + "\n")


def wheel(target, version, when, out, holt):
    """Writes the wheel for a target; holt is a program that runs here."""
    with tempfile.TemporaryDirectory() as folder:
        stage = pathlib.Path(folder)
        (stage / "bin").mkdir()
        build(target, version, stage / "bin")
        if target.startswith("linux/"):  # elsewhere no cells run
            kernelspec(holt, stage)
        env = {
            **os.environ,
            "HOLT_WHEEL_STAGE": str(stage),
            "HOLT_WHEEL_PLATFORM": TARGETS[target],
            "HOLT_WHEEL_VERSION": python_version(version),
            "SOURCE_DATE_EPOCH": str(max(when, ZIP_EPOCH)),
        }
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", stage / "dist"]
        subprocess.run(command, cwd=ROOT / "python" / "holt_kernel", env=env, check=True, stdout=subprocess.DEVNULL)
        made, = (stage / "dist").iterdir()
        return pathlib.Path(shutil.move(made, out / made.name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["archives", "wheels"])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="such as linux/arm64; all unless some are named")
    parser.add_argument("--version", default="", help="such as v1.2.3; that of the revision unless given")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "dist")
    args = parser.parse_intermixed_args()
    for target in args.targets:
        if target not in TARGETS:
            sys.exit(f"release.py: the target is {target}, want one of {' '.join(TARGETS)}")
    rev, when = revision()
    version = args.version or ("devel-" + rev[:12] if rev else "devel")
    python_version(version)  # or say what is wrong with it
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "wheels":
            this = output("go", "env", "GOHOSTOS") + "/" + output("go", "env", "GOHOSTARCH")
            here = build(this, version, pathlib.Path(folder))
        for target in args.targets or TARGETS:
            if args.what == "wheels":
                file = wheel(target, version, when, args.out, here)
            else:
                file = archive(target, version, when, args.out)
            made.append(file)
            print(file, flush=True)
    if args.what == "archives":
        sums = args.out / f"holt_{version}_SHA256SUMS"
        sums.write_text("".join(f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in made))
        print(sums)


if __name__ == "__main__":
    main()
