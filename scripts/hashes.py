#!/usr/bin/env python3
"""Writes the hashes of packages into requirements/*.txt, so that pip installs
nothing but the files that were published when the versions were chosen.

    pip install uv
    scripts/hashes.py requirements/*.txt

After a version in a file was changed, run it again. For each package the file
lists the hashes of the wheels for the machines that Holt runs on (Linux with
glibc, x86-64 and arm64, CPython 3.11 and newer) and of the source archive, as
the package index gives them to uv.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

# The tags at the end of a wheel's file name: python-abi-platform.
WHEEL = re.compile(
    r"-(?P<python>[^-]+)-(?P<abi>none|abi3|cp3(?:1[1-9]))-(?P<platform>any|[^-]*manylinux[^-]*_(?:x86_64|aarch64))\.whl$"
)
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")


def fits(file: str) -> bool:
    """Reports whether a wheel is one for a machine that Holt runs on."""
    m = WHEEL.search(file)
    if not m:
        return False
    tags = re.findall(r"(py3|cp3)(\d*)", m["python"])
    if m["abi"].startswith("cp3"):
        return m["python"] == m["abi"]
    return any(name == "py3" or m["abi"] == "abi3" or int(minor) >= 11 for name, minor in tags)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def index(pins: list[str]) -> dict[str, list[str]]:
    """Asks the index for the hashes of the pinned packages, by normal name."""
    with tempfile.TemporaryDirectory() as tmp:
        names, lock = pathlib.Path(tmp, "in.txt"), pathlib.Path(tmp, "pylock.toml")
        names.write_text("\n".join(pins) + "\n")
        subprocess.run(
            ["uv", "pip", "compile", "--quiet", "--no-deps", "--universal", "--python-version", "3.11", "--format", "pylock.toml", "-o", lock, names],
            check=True,
        )
        packages = tomllib.loads(lock.read_text())["packages"]
    found = {}
    for p in packages:
        files = [w for w in p.get("wheels", []) if fits(w.get("name") or w["url"].rsplit("/", 1)[-1])]
        if "sdist" in p:
            files.append(p["sdist"])
        found[normal(p["name"])] = [f["hashes"]["sha256"] for f in files]
    return found


def rewrite(file: pathlib.Path) -> None:
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("--hash=")]
    pins = [m.group() for line in lines if (m := PINNED.match(line))]
    hashes = index(pins)
    out = []
    for line in lines:
        m = PINNED.match(line)
        if not m:
            out.append(line)
            continue
        found = hashes[normal(m["name"])]
        if not found:
            sys.exit(f"{file}: the index has no file of {m.group()} for Linux, want a wheel or a source archive")
        out.append(" \\\n    ".join([line.rstrip("\\ ")] + [f"--hash=sha256:{h}" for h in found]))
    file.write_text("\n".join(out) + "\n")


for name in sys.argv[1:]:
    rewrite(pathlib.Path(name))
