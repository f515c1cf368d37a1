"""Our times beside those of PyTorch, JAX, GoNB and Python, in one run on one machine: make bench.

HOLT_PEERS_PYTHON names the Python of a virtual environment with what to compare with: torch, torchvision, jax, ipykernel,
a GoNB kernelspec in its prefix. HOLT_IMAGES names a folder of photographs with a folder for each class. What is not there
is named and left out. The parties take turns, ROUNDS times over, so that a busy minute of the machine falls on all of
them; tables of medians are printed and everything is left in bench/out/bench.json. Training steps are timed on one core
and on two, with the processor's time beside the wall clock's: others on the machine disturb it least. Under each table
stands which differences are real: those that all rounds agree on, by processor time.

With --base COMMIT, the four networks are also timed as that commit has them, in turn with today's: its benchmarks are
built in a worktree of git, which is removed at the end.
"""
import argparse
import contextlib
import datetime
import functools
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(here)
ours = os.path.join(root, ".venv", "bin", "python")
peers = os.environ.get("HOLT_PEERS_PYTHON", ours)
notes = []


def run(command, cores=None, **options):
    """Runs a command, on so many cores of those that this process may use; None: on all."""
    allowed = sorted(os.sched_getaffinity(0))
    on = (lambda: os.sched_setaffinity(0, allowed[:cores])) if cores else None
    return subprocess.run(command, preexec_fn=on, capture_output=True, text=True, **options)


def json_line(command, cores=None, **env):
    """Runs a command in the checkout and returns its last line, which is JSON; None, with a note, when it fails."""
    got = run(command, cores, cwd=root, env={**os.environ, **env})
    if got.returncode != 0:
        last = (got.stderr.strip() or got.stdout.strip() or "no message").splitlines()[-1]
        notes.append(f"{os.path.relpath(command[1], root)} {' '.join(command[2:])}: {last}")
        return None
    return json.loads(got.stdout.strip().splitlines()[-1])


@functools.cache
def has_module(name):
    return subprocess.run([peers, "-c", f"import {name}"], capture_output=True).returncode == 0


def has_kernel(python, name):
    code = f"from jupyter_client.kernelspec import get_kernel_spec; get_kernel_spec({name!r})"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def go_bench(package, name, count, cores=None, checkout=root, **env):
    """A benchmark of a package, alone in its process, so that its peak is its own: a dictionary of what it reports.

    It has the environment that a kernel gives its host (kernel/host/proc/tunables.go).
    """
    folder = os.path.join(checkout, package)
    if folder not in built:
        built[folder] = os.path.join(checkout, "bench", "out", package.replace("/", "-") + ".test")
        os.makedirs(os.path.dirname(built[folder]), exist_ok=True)
        subprocess.run(["go", "test", "-c", "-o", built[folder], "./" + package], cwd=checkout, check=True)
    env = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "HOLT_HOME": os.path.join(root, ".holt"), **os.environ, **env}
    got = run([built[folder], "-test.run", "^$", "-test.bench", f"^Benchmark{name}$", "-test.benchtime", count], cores, cwd=folder, env=env)
    line = re.search(r"^Benchmark\S+\s+\d+\s+(.*)$", got.stdout, re.MULTILINE)
    if not line:
        notes.append(f"holt, {name}: " + (got.stdout.strip() or got.stderr.strip() or "no result").splitlines()[-1])
        return None
    words = line[1].split()
    return dict(zip(words[1::2], map(float, words[::2])))


built = {}  # benchmarks' programs, by the folder of their package


def ours_at(name, count, package="dl", checkout=root, version=""):
    """A party that runs a benchmark of a package: its median and its processor time in ms, and its peak of memory in MiB."""
    def party(cores=None):
        got = go_bench(package, name, count, cores, checkout)
        return got and {"ms": [got["median-ms/op"]], "cpu": got.get("cpu-ms/op"), "peak": got["peak-MiB"], "version": version}
    return party


class Base:
    """An earlier commit, checked out while it is timed."""

    def __init__(self, commit):
        self.version = subprocess.run(["git", "rev-parse", "--short", "--verify", commit + "^{commit}"], cwd=root,
                                      check=True, capture_output=True, text=True).stdout.strip()
        self.name = f"Holt at {self.version}"
        self.folder = tempfile.mkdtemp(prefix="holt-bench-")

    def __enter__(self):
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", self.folder, self.version], cwd=root, check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["git", "worktree", "remove", "--force", self.folder], cwd=root, check=True)

    def party(self, name, count):
        return ours_at(name, count, checkout=self.folder, version=self.version)


def theirs(*args):
    return lambda cores=None: json_line([peers, "bench/peers/" + args[0], *args[1:]], cores)


def torch_ways(net, steps, *more, ways=("", "channels last", "compiled")):
    """The parties of PyTorch: as it is, with channels last, with torch.compile."""
    flags = {"": [], "channels last": ["--channels-last"], "compiled": ["--compile"]}
    return {("PyTorch, " + way).rstrip(", "): theirs("step_torch.py", net, "--steps", steps, *more, *flags[way]) for way in ways}


def work(base=None):
    """What is timed, each by its parties; a party is given the number of cores, and returns its milliseconds, its processor
    time in milliseconds and its peak of memory in MiB."""
    networks = {
        "training step of the tutorial network, batch 64": ("TrainStepCIFARNet/cpu", "40x"),
        "forward pass of the tutorial network, batch 64": ("PredictCIFARNet", "40x"),
        "training step of ResNet18, 16 pictures of 64×64": ("TrainStepResNet18", "20x"),
        "training step of a transformer of two layers": ("TrainStepTransformer", "30x"),
        "training step of an LSTM, 128 sequences of 200": ("TrainStepLSTM", "20x"),
        "training step of a GPT block, 8 texts of 256": ("TrainStepGPT", "20x"),
        "training step of an MLP 784-128-10, batch 64": ("StepMLP/step", "500x"),
    }
    tables = {table: {"Holt, XLA:CPU": ours_at(*benchmark)} for table, benchmark in networks.items()}
    if base:
        for table, benchmark in networks.items():
            tables[table][base.name] = base.party(*benchmark)
    cifar, forward, resnet, transformer, lstm, gpt, mlp = tables.values()
    vgg = tables["training step of VGG16's head on 16 pictures of 224×224"] = {
        "Holt, XLA:CPU": ours_at("TrainStepVGG16Head", "4x", "dl/vision/models")}
    cifar["Holt, pure Go"] = ours_at("TrainStepCIFARNet/go", "1x")
    reinforce = tables["step of REINFORCE's first 60 episodes on CartPole"] = {"Holt, at once": ours_at("Step", "5x", "programs/reinforce")}
    if has_module("torch"):
        cifar.update(torch_ways("cifar", "40"))
        forward.update(torch_ways("cifar", "40", "--predict"))
        transformer.update(torch_ways("transformer", "30", ways=("", "compiled")))
        lstm.update(torch_ways("lstm", "20", ways=("",)))  # torch.compile leaves an LSTM as it is
        gpt.update(torch_ways("gpt", "20", ways=("", "compiled")))
        mlp.update(torch_ways("mlp", "500", ways=("", "compiled")))
        reinforce["PyTorch"] = theirs("reinforce_torch.py", "5")
        if has_module("torchvision"):
            resnet.update(torch_ways("resnet18", "20"))
            vgg.update(torch_ways("vgg16head", "4"))
    else:
        notes.append("PyTorch is not installed beside HOLT_PEERS_PYTHON")
    if has_module("jax"):
        cifar["JAX"] = theirs("step_jax.py")
    else:
        notes.append("JAX is not installed beside HOLT_PEERS_PYTHON")
    return tables


def training_steps(rounds, cores, base=None, of=""):
    result = {}
    for i in range(rounds):
        for table, parties in work(base).items():
            if not re.search(of, table):
                continue
            for n in cores:
                rows = result.setdefault(f"{table}, {n} core{'s' if n > 1 else ''}", {})
                for name, party in parties.items():
                    if name == "Holt, pure Go" and (i > 0 or n != cores[-1]):
                        continue  # seconds a step: one round says enough
                    print(f"  round {i + 1}: {table}, {n}: {name}", file=sys.stderr)
                    if got := party(n):
                        row = rows.setdefault(name, {"ms": [], "cpu": [], "peak": [], "version": got.get("version", "")})
                        row["ms"].append(statistics.median(got["ms"]))
                        row["cpu"].append(got.get("cpu"))
                        row["peak"].append(got.get("peak"))
    return result


def real(parties):
    """Says which differences between Holt and the others are real: those that all rounds agree on.

    Rounds are compared in pairs, by processor time where both tell it, else by the wall clock. One round says nothing.
    """
    said = []
    (name, ours), *others = ((n, row) for n, row in parties.items() if n != "Holt, pure Go")
    for other, row in others:
        by = "cpu" if all(ours["cpu"]) and all(row["cpu"]) else "ms"
        ratios = [a / b for a, b in zip(ours[by], row[by])]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f} of {other}" + ("" if by == "cpu" else " by the wall clock")
        if len(ratios) < 2 or min(ratios) <= 1 <= max(ratios):
            said.append(spread + ", which settles nothing")
        else:
            said.append(f"{spread}, {'quicker' if max(ratios) < 1 else 'slower'} in all {len(ratios)} rounds")
    return f"{name} takes " + "; ".join(said) + "." if said else ""


def small_operations(rounds):
    """Operations at once on [64 128]: microseconds a call, by party and operation."""
    parties = {"Holt": small_ours}
    if has_module("torch"):
        parties["PyTorch"] = lambda: json_line([peers, "bench/peers/small_torch.py"])
    rows = {}
    for i in range(rounds):
        for name, party in parties.items():
            print(f"  round {i + 1}: small operations: {name}", file=sys.stderr)
            if got := party():
                row = rows.setdefault(name, {"version": got.get("version", ""), "times": {}})
                for operation, times in got["times"].items():
                    row["times"].setdefault(operation, []).append(times)
    return rows


def small_ours():
    times = {}
    for operation in ("Add", "AddRow", "ReLU", "Scale", "SumItem", "SumRows", "MatMul"):
        if got := go_bench("dl", f"Small/{operation}", "200x"):
            times[operation] = {kind: got[f"{kind}-µs/call"] for kind in ("min", "median", "cpu")}
    return times and {"times": times}


def loaders(rounds):
    """Pictures a second on their way to the network: of CIFAR-10's size, and of a folder of photographs that HOLT_IMAGES
    names, as it is and, where Pillow is there, with colours at half the resolution (4:2:0)."""
    tables = {"pictures of 32×32: RandomCrop with padding 4, flip, normalize": (("Loader/augmented", "5x"), ["--cifar"], {})}
    with tempfile.TemporaryDirectory() as folder:
        if photos := os.environ.get("HOLT_IMAGES"):
            text = "Resize 256, RandomCrop 224, flip, normalize"
            tables[f"photographs: {text}"] = (("ImageFolder", "3x"), [], {"HOLT_IMAGES": photos})
            if halve_colours(photos, folder):
                tables[f"photographs, 4:2:0: {text}"] = (("ImageFolder", "3x"), [], {"HOLT_IMAGES": folder})
        else:
            notes.append("the loader of photographs: HOLT_IMAGES names no folder with a folder for each class")
        return {table: load(rounds, table, *what) for table, what in tables.items()}


def load(rounds, table, benchmark, flags, env):
    parties = {"Holt": lambda: (got := go_bench("dl/vision", *benchmark, **env)) and {"rate": [got["pictures/s"]]}}
    if has_module("torchvision"):
        for workers in ("4", "2", "0"):
            parties[f"torchvision, {workers} workers"] = theirs("loader_torch.py", env.get("HOLT_IMAGES", "-"), "--workers", workers, *flags)
    rows = {}
    for i in range(rounds):
        for name, party in parties.items():
            print(f"  round {i + 1}: {table}: {name}", file=sys.stderr)
            if got := party():
                row = rows.setdefault(name, {"rate": [], "version": got.get("version", "")})
                row["rate"].append(statistics.median(got["rate"]))
    return rows


def halve_colours(photos, folder):
    """Writes photographs again into a folder, as most cameras do."""
    code = """
import pathlib, sys
from PIL import Image
photos, folder = map(pathlib.Path, sys.argv[1:])
for f in photos.rglob("*.jpg"):
    to = folder / f.relative_to(photos)
    to.parent.mkdir(parents=True, exist_ok=True)
    Image.open(f).convert("RGB").save(to, quality=92, subsampling=2)
"""
    return subprocess.run([peers, "-c", code, photos, folder], capture_output=True).returncode == 0


def restarts(rounds):
    """Seconds of a kernel's first cells: without executables on disk, and with those that the kernel before has left."""
    rows = {}
    for i in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("compiled", "from disk"):
                print(f"  round {i + 1}: first cells, {name}", file=sys.stderr)
                got = json_line([ours, "bench/cells.py", "holt", "bench/cells/holt-restart.json"], HOLT_EXECUTABLES=folder)
                for cell, seconds in (got or {"timed": {}})["timed"].items():
                    rows.setdefault(cell, {}).setdefault(name, []).extend(seconds)
    return rows


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
    p.add_argument("--cores", default="1,2", help="numbers of cores that training steps run on")
    p.add_argument("--base", help="an earlier commit, timed in turn with this one")
    p.add_argument("--only", choices=["step", "small", "loader", "restart", "cells", "memory"])
    p.add_argument("--of", default="", help="the training steps that are timed: a regular expression that their tables' names match")
    args = p.parse_args()
    go = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout.strip()
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True).stdout.strip()
    result = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"), "machine": machine(),
              "load_before": os.getloadavg()[0], "go": go, "holt": commit, "rounds": args.rounds}
    if args.only in (None, "step"):
        with Base(args.base) if args.base else contextlib.nullcontext() as base:
            result["steps"] = training_steps(args.rounds, [int(n) for n in args.cores.split(",")], base, args.of)
    if args.only in (None, "small"):
        result["small"] = small_operations(args.rounds)
    if args.only in (None, "loader"):
        result["loader"] = loaders(args.rounds)
    if args.only in (None, "restart"):
        result["restart"] = restarts(args.rounds)
    if args.only in (None, "cells"):
        result["cells"] = cell_latency(args.rounds)
    if args.only in (None, "memory"):
        result["memory"] = memory()
    result["notes"] = sorted(set(notes))

    print(f"\n{result['date']}, {result['machine']}, {go}, holt {commit}, load before {result['load_before']:.1f}")
    for table, parties in result.get("steps", {}).items():
        theirs_best = {by: min((statistics.median(row[by]) for name, row in parties.items() if name.startswith("PyTorch") and all(row[by])), default=None) for by in ("ms", "cpu")}
        print(f"\n| {table} | version | ms, median | processor ms | against the best of PyTorch | by processor time | peak MiB |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |")
        for name, row in parties.items():
            cells = {by: statistics.median(row[by]) if all(row[by]) else None for by in ("ms", "cpu")}
            texts = [f"{cells[by]:,.{1 if cells[by] >= 10 else 3}f}" if cells[by] else "" for by in ("ms", "cpu")]
            texts += [f"{cells[by] / theirs_best[by]:.2f}" if cells[by] and theirs_best[by] else "" for by in ("ms", "cpu")]
            peaks = [p for p in row["peak"] if p]
            print(f"| {name} | {row['version'] or commit} | {' | '.join(texts)} | {f'{max(peaks):,.0f}' if peaks else ''} |")
        if parties:
            print("\n" + real(parties))
    if small := result.get("small"):
        print("\n| operations on [64 128], µs: median (least), processor | " + " | ".join(small) + " | against PyTorch, median | by processor time |\n| --- |" + " ---: |" * (len(small) + 2))
        for operation in next(iter(small.values()))["times"]:
            medians = {name: {kind: statistics.median(t[kind] for t in row["times"][operation]) for kind in ("median", "min", "cpu")}
                       for name, row in small.items() if operation in row["times"]}
            texts = [f"{m['median']:.1f} ({m['min']:.1f}), {m['cpu']:.1f}" for m in medians.values()]
            if len(medians) == 2:
                texts += ["{:.2f}".format(medians["Holt"][kind] / medians["PyTorch"][kind]) for kind in ("median", "cpu")]
            print(f"| {operation} | {' | '.join(texts)} |")
    for table, loader in result.get("loader", {}).items():
        base = max((statistics.median(row["rate"]) for name, row in loader.items() if name != "Holt"), default=None)
        print(f"\n| {table} | version | pictures/s, median | against the best of torchvision |\n| --- | --- | ---: | ---: |")
        for name, row in loader.items():
            rate = statistics.median(row["rate"])
            print(f"| {name} | {row['version'] or commit} | {rate:,.0f} | {f'{rate / base:.2f}' if base else ''} |")
    if restart := result.get("restart"):
        print("\n| a kernel's first cells, s, median (least) | compiled | from disk |\n| --- | ---: | ---: |")
        for cell, ways in restart.items():
            print(f"| {cell} | " + " | ".join(f"{statistics.median(ways[w]):.3f} ({min(ways[w]):.3f})" if w in ways else "" for w in ("compiled", "from disk")) + " |")
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
