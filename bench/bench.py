"""Our times beside those of PyTorch, JAX, GoNB and Python, in one run on one machine: make bench.

HOLT_PEERS_PYTHON names the Python of a virtual environment with what to compare with: torch, jax, ipykernel, a GoNB
kernelspec in its prefix. What is not there is named and left out. The parties take turns, ROUNDS times over, so that a
busy minute of the machine falls on all of them; a table of medians is printed and everything is left in
bench/out/bench.json.
"""
import argparse
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(here)
ours = os.path.join(root, ".venv", "bin", "python")
peers = os.environ.get("HOLT_PEERS_PYTHON", ours)
notes = []


def json_line(command, **env):
    """Runs a command in the checkout and returns its last line, which is JSON; None, with a note, when it fails."""
    got = subprocess.run(command, cwd=root, env={**os.environ, **env}, capture_output=True, text=True)
    if got.returncode != 0:
        last = (got.stderr.strip() or got.stdout.strip() or "no message").splitlines()[-1]
        notes.append(f"{os.path.relpath(command[1], root)} {' '.join(command[2:])}: {last}")
        return None
    return json.loads(got.stdout.strip().splitlines()[-1])


def has_module(name):
    return subprocess.run([peers, "-c", f"import {name}"], capture_output=True).returncode == 0


def has_kernel(python, name):
    code = f"from jupyter_client.kernelspec import get_kernel_spec; get_kernel_spec({name!r})"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def go_steps(backend, benchtime):
    """Milliseconds a step from BenchmarkTrainStepCIFARNet of package dl, on a backend."""
    command = ["go", "test", "-run", "^$", "-bench", f"^BenchmarkTrainStepCIFARNet$/^{backend}$", "-benchtime", benchtime, "-count", "1", "./dl"]
    got = subprocess.run(command, cwd=root, capture_output=True, text=True)
    found = re.findall(r"^BenchmarkTrainStep\S*\s+\d+\s+([\d.]+) ns/op", got.stdout, re.MULTILINE)
    if not found:
        notes.append(f"holt, {backend}: " + (got.stdout.strip() or got.stderr.strip() or "no result").splitlines()[-1])
    return [float(ns) / 1e6 for ns in found]


def training_steps(rounds):
    parties = {"Holt, XLA:CPU": lambda: go_steps("cpu", "40x"), "Holt, pure Go": lambda: go_steps("go", "1x")}
    if has_module("torch"):
        parties["PyTorch"] = lambda: json_line([peers, "bench/peers/step_torch.py"])
        parties["PyTorch, channels last"] = lambda: json_line([peers, "bench/peers/step_torch.py", "--channels-last"])
    else:
        notes.append("PyTorch is not installed beside HOLT_PEERS_PYTHON")
    if has_module("jax"):
        parties["JAX"] = lambda: json_line([peers, "bench/peers/step_jax.py"])
    else:
        notes.append("JAX is not installed beside HOLT_PEERS_PYTHON")
    rows = {name: {"ms": [], "version": ""} for name in parties}
    for i in range(rounds):
        for name, party in parties.items():
            if name == "Holt, pure Go" and i > 0:
                continue  # seconds a step: one round says enough
            print(f"  round {i + 1}: {name}", file=sys.stderr)
            got = party()
            if isinstance(got, dict):
                rows[name]["ms"].append(statistics.median(got["ms"]))
                rows[name]["version"] = got["version"]
            elif got:
                rows[name]["ms"] += got
    return {name: row for name, row in rows.items() if row["ms"]}


def cell_latency(rounds):
    parties = {"Holt": (ours, "holt", "holt.json")}
    for name, kernel, file in (("GoNB", "gonb", "gonb.json"), ("ipykernel", "python3", "python3.json")):
        if has_kernel(peers, kernel) and (kernel != "python3" or has_module("torch")):
            parties[name] = (peers, kernel, file)
        else:
            notes.append(f"{name}: no kernel named {kernel} (with torch, for Python) beside HOLT_PEERS_PYTHON")
    rows = {}
    for i in range(rounds):
        for name, (python, kernel, file) in parties.items():
            print(f"  round {i + 1}: cells in {name}", file=sys.stderr)
            got = json_line([python, "bench/cells.py", kernel, f"bench/cells/{file}"], HOLT_CHECKOUT=root)
            if got:
                row = rows.setdefault(name, {"version": got["version"], "started": [], "timed": {}})
                row["started"].append(got["started"])
                for cell, seconds in got["timed"].items():
                    row["timed"].setdefault(cell, []).extend(seconds)
    return rows


def memory():
    """What cells leave behind, in Holt and in ipykernel. GoNB's cells are programs, which end."""
    parties = {"Holt": (ours, "holt", "holt-memory.json")}
    if has_kernel(peers, "python3") and has_module("torch"):
        parties["ipykernel"] = (peers, "python3", "python3-memory.json")
    rows = {}
    for name, (python, kernel, file) in parties.items():
        print(f"  memory of cells in {name}", file=sys.stderr)
        if got := json_line([python, "bench/memory.py", kernel, f"bench/cells/{file}"]):
            rows[name] = got
    return rows


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return f"{len(os.sched_getaffinity(0))} cores of {model}, {platform.system()} {platform.release()}"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", choices=["step", "cells", "memory"])
    args = p.parse_args()
    go = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout.strip()
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True).stdout.strip()
    result = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"), "machine": machine(),
              "load_before": os.getloadavg()[0], "go": go, "holt": commit, "rounds": args.rounds}
    if args.only in (None, "step"):
        result["steps"] = training_steps(args.rounds)
    if args.only in (None, "cells"):
        result["cells"] = cell_latency(args.rounds)
    if args.only in (None, "memory"):
        result["memory"] = memory()
    result["notes"] = sorted(set(notes))

    print(f"\n{result['date']}, {result['machine']}, {go}, holt {commit}, load before {result['load_before']:.1f}")
    if steps := result.get("steps"):
        base = statistics.median(steps["PyTorch"]["ms"]) if "PyTorch" in steps else None
        print("\n| training step of the tutorial network, batch 64 | version | ms, median | against PyTorch |\n| --- | --- | ---: | ---: |")
        for name, row in steps.items():
            ms = statistics.median(row["ms"])
            print(f"| {name} | {row['version'] or commit} | {ms:,.1f} | {f'{ms / base:.2f}' if base else ''} |")
    if cells := result.get("cells"):
        names = list(dict.fromkeys(cell for row in cells.values() for cell in row["timed"]))
        print(f"\n| seconds a cell, median | version | ready after | {' | '.join(names)} |\n| --- | --- | ---: |{' ---: |' * len(names)}")
        for name, row in cells.items():
            times = [f"{statistics.median(row['timed'][c]):.3f}" if c in row["timed"] else "" for c in names]
            print(f"| {name} | {row['version']} | {statistics.median(row['started']):.1f} | {' | '.join(times)} |")
    if memories := result.get("memory"):
        kinds = list(dict.fromkeys(kind for row in memories.values() for kind in row["further"]))
        print(f"\n| MiB a further cell, of 200 | {' | '.join(kinds)} | one cell 1,000 times, MiB in all | open files | goroutines, tasks |")
        print(f"| --- |{' ---: |' * len(kinds)} ---: | ---: | ---: |")
        for name, row in memories.items():
            again = row["again"]
            further = [f"{row['further'][k]['MiB a cell']:.2f}" if k in row["further"] else "" for k in kinds]
            print(f"| {name} | {' | '.join(further)} | {again['MiB a cell'] * 1000:+.0f} | {again['files']:+d} | {again['count']:+d} |")
    for note in result["notes"]:
        print(f"not measured: {note}")
    os.makedirs(os.path.join(here, "out"), exist_ok=True)
    path = os.path.join(here, "out", "bench.json")
    with open(path + ".new", "w") as f:
        json.dump(result, f, indent=1)
    shutil.move(path + ".new", path)
    print(f"\nall of it: {os.path.relpath(path, root)}")


if __name__ == "__main__":
    main()
