"""The parts of bench/gpu.sh, which see: each is a line of PARTS, with its limit in seconds.

What a part found is added to results.md, and what its programs said to a file of its own, when it ends; what has no time
left is named. The exit status is 1 where a test failed.
"""

import argparse
import concurrent.futures
import contextlib
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import bench

p = argparse.ArgumentParser()
p.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
p.add_argument("--steps", type=int, default=100)
p.add_argument("--batch", type=int, default=256, help="pictures of the large ResNets")
p.add_argument("--limit", type=float, default=900, help="seconds in all")
p.add_argument("--parts", help="only these of the parts, with commas between")
p.add_argument("--out", default=os.path.join(bench.here, "out", "gpu"))
args = p.parse_args()
end = time.monotonic() + args.limit
binary = os.path.join(bench.here, "out", "dl.test")
side = 224 if args.device == "cuda" else 64
failed = []


def say(text):
    """Adds lines to the results, which are whole after each part."""
    print(text, flush=True)
    with open(os.path.join(args.out, "results.md"), "a") as f:
        f.write(text + "\n")
        f.flush()
        os.fsync(f.fileno())


def gpu_memory():
    got = subprocess.run(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], capture_output=True, text=True)
    return max((int(n) for n in got.stdout.split() if n.isdigit()), default=0)


@contextlib.contextmanager
def watched():
    """The most memory of a GPU that is taken meanwhile, in MiB, by nvidia-smi: [0] where there is none."""
    most, stop = [0], threading.Event()

    def watch():
        while not stop.wait(0.2):
            most[0] = max(most[0], gpu_memory())

    thread = threading.Thread(target=watch, daemon=True)
    if args.device == "cuda" and shutil.which("nvidia-smi"):
        thread.start()
    try:
        yield most
    finally:
        stop.set()
        if thread.is_alive():
            thread.join()


def run(log, seconds, command, **env):
    """Runs a command for at most so many seconds and returns its output and status; 124 where it was stopped."""
    seconds = max(1, min(seconds, end - time.monotonic()))
    env = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", **os.environ, **{k: v for k, v in env.items() if v is not None}}
    try:
        got = subprocess.run(command, cwd=os.path.join(bench.root, "dl") if command[0] == binary else bench.root, env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds)
        text, status = got.stdout, got.returncode
    except subprocess.TimeoutExpired as e:
        text, status = (e.stdout or b"").decode(errors="replace") if isinstance(e.stdout, bytes) else e.stdout or "", 124
    with open(os.path.join(args.out, log), "a") as f:
        f.write(f"$ {' '.join(command)}\n{text}\n[status {status}]\n")
    return text, status


def last(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"


def ours(name, steps, seconds, device, **env):
    """Milliseconds of a step of a benchmark of dl, and why not."""
    text, status = run("steps.log", seconds, [binary, "-test.run", "^$", "-test.bench", f"^Benchmark{name}$", "-test.benchtime", f"{steps}x"],
                       HOLT_TEST_XLA=device, **env)
    found = re.search(r"([\d.e+]+) median-ms/op", text)
    return (float(found[1]), "") if found else (None, "out of time" if status == 124 else last(text))


def torch(net, steps, seconds, *options):
    if not bench.has_module("torch"):
        return None, "no torch"
    if net.startswith("resnet") and not bench.has_module("torchvision"):
        return None, "no torchvision"
    text, status = run("steps.log", seconds, [bench.peers, "bench/peers/step_torch.py", net, "--device", args.device, "--steps", str(steps), *options])
    try:
        return statistics.median(json.loads(text.strip().splitlines()[-1])["ms"]), ""
    except (ValueError, IndexError, KeyError):
        return None, "out of time" if status == 124 else last(text)


def compare(seconds, *rows):
    """A table: of each row the title, and the functions that give Holt's and PyTorch's milliseconds in some seconds."""
    say("\n| ms a step, median | Holt | PyTorch | Holt / PyTorch | GPU MiB |\n| --- | ---: | ---: | ---: | ---: |")
    stop, parties = time.monotonic() + seconds, 2 * len(rows)
    for title, holt, peer in rows:
        cells, ms, memory = [], [], []
        for party in (holt, peer):
            with watched() as most:
                took, why = party(max(1, (stop - time.monotonic()) / parties))
            parties -= 1
            cells.append(f"{took:.2f}" if took else why)
            memory.append(str(most[0]) if most[0] else "")
            ms.append(took)
        ratio = f"{ms[0] / ms[1]:.2f}" if all(ms) else ""
        say(f"| {title} | {cells[0]} | {cells[1]} | {ratio} | {' / '.join(memory) if any(memory) else ''} |")


def shards(pattern, skip, processes):
    """The tests that the pattern names and skip does not, dealt to so many processes as patterns of their names."""
    text, _ = run("tests.log", 30, [binary, "-test.list", pattern])
    names = [n for n in text.split() if n.startswith("Test") and not (skip and re.search(skip, n))]
    return ["^(" + "|".join(names[i::processes]) + ")$" for i in range(min(processes, len(names)))]


def tests(seconds, title, pattern, skip="", verbose=False, processes=1, device=args.device, **env):
    """Runs tests of dl on the device, without TF32, whose ten bits are fewer than the references allow for."""
    limit = int(max(1, min(seconds, end - time.monotonic()) - 5))
    name = re.sub(r"\W+", "-", title)

    def shard(number, pattern):
        command = [binary, "-test.v", "-test.run", pattern, "-test.timeout", f"{limit}s"]
        log = f"{name}-{number}.log" if processes > 1 else f"{name}.log"
        text, status = run(log, limit + 5, command, NVIDIA_TF32_OVERRIDE="0", HOLT_TEST_XLA=device, **env)
        if "panic: test timed out" in text or status == 124:
            return text, f"out of time in {log}", False
        if status in (0, 1):
            return text, "", False
        return text, f"status {status} in {log}: {last(text)}", True

    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        parts = shards(pattern, skip, processes)
        ended = list(pool.map(shard, range(len(parts)), parts))
    text = "\n".join(t for t, _, _ in ended)
    counts = {word: len(re.findall(rf"^--- {word}", text, re.MULTILINE)) for word in ("PASS", "FAIL", "SKIP")}
    words = " ".join(f"{word} {n}" for word, n in counts.items())
    stopped = [why for _, why, _ in ended if why]
    crashed = any(crash for _, _, crash in ended)
    say(f"\n{title}: {words}" + (f" ({'; '.join(stopped)})" if stopped else ""))
    for line in re.findall(r"^--- FAIL.*", text, re.MULTILINE):
        say("    " + line)
    for line in sorted(set(re.findall(rf"backend {args.device} is not here: .*", text)))[:1]:
        say("    " + line)
    if verbose:
        say("\n".join("    " + line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("===", "---", "PASS", "ok"))))
    if counts["FAIL"] or crashed or (stopped and not counts["PASS"]) or not sum(counts.values()):
        failed.append(title)


# Tests of what is on a processor alone: its devices, what Go calculates there, oneDNN; and of the
# compiler for a GPU that is not there. TestNCCL compiles a library in C.
OWN = "SideBySide|MovesBetween|DataParallel|VariablesFree|^TestSmall|OneDNN|ProgramsForCUDA"
SPECIAL = "^Test(OutOfMemory|FreeGivesMemoryBack|StopAndInterrupt|Plan|Distributed|NCCL|NCCLAlone)$"
REPEATS = "^Test(OneDNNRepeats|Distributed|Resume)$"
deterministic = f"{args.device},deterministic=true" if args.device == "cuda" else args.device
tf32 = f"{args.device},tf32=true" if args.device == "cuda" else args.device


def doctor(seconds):
    text, status = run("doctor.log", seconds, ["bin/holt", "doctor"])
    say("\n" + "\n".join("    " + line for line in text.splitlines() if "backend" in line or "GPU" in line))


def tutorial(seconds):
    n = args.steps
    compare(seconds,
            ("tutorial network, batch 64", lambda s: ours("TrainStepCIFARNet/cpu", n, s, args.device), lambda s: torch("cifar", n, s)),
            ("the same, TF32", lambda s: ours("TrainStepCIFARNet/cpu", n, s, tf32), lambda s: torch("cifar", n, s, "--tf32")),
            ("its prediction", lambda s: ours("PredictCIFARNet", n, s, args.device), lambda s: torch("cifar", n, s, "--predict")))


def resnet(net):
    def part(seconds):
        steps, env = max(1, min(20, args.steps)), {"HOLT_BENCH_BATCH": str(args.batch), "HOLT_BENCH_SIDE": str(side)}
        compare(seconds, (f"ResNet{net}, batch {args.batch} of {side}×{side}, bfloat16",
                          lambda s: ours(f"TrainStepLarge/ResNet{net}", steps, s, args.device, **env),
                          lambda s: torch(f"resnet{net}", steps, s, "--bf16", "--channels-last", "--warm", "3", "--batch", str(args.batch), "--side", str(side))))
    return part


def transformer(seconds):
    n = args.steps
    compare(seconds,
            ("transformer of two layers", lambda s: ours("TrainStepTransformer", n, s, args.device), lambda s: torch("transformer", n, s)),
            ("the same, TF32", lambda s: ours("TrainStepTransformer", n, s, tf32), lambda s: torch("transformer", n, s, "--tf32")))


def restarts(seconds):
    """Seconds of a process that builds the tutorial network and trains for a moment: compiled, and with the programs that
    the first has left on the disk."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(3):
            began = time.monotonic()
            _, why = ours("TrainStepCIFARNet/cpu", 1, seconds / 3, args.device, HOLT_EXECUTABLES=folder)
            took.append(why or f"{time.monotonic() - began:.2f} s")
        files = len(os.listdir(folder))
    say(f"\na process that trains the tutorial network for 60 steps: {', '.join(took)}; the second and third with {files} programs from the disk")


PARTS = [
    ("doctor", 30, doctor),
    ("NCCL", 30, lambda s: tests(s, "NCCL in a job of one process", "^TestNCCLAlone$", verbose=True)),
    ("parity", 300, lambda s: tests(s, f"parity on {args.device}", "^Test", f"{OWN}|{SPECIAL}", processes=max(1, min(8, (os.cpu_count() or 2) // 2)))),
    ("tutorial network", 120, tutorial),
    ("ResNet18", 90, resnet(18)),
    ("ResNet50", 120, resnet(50)),
    ("transformer", 120, transformer),
    ("restarts", 60, restarts),
    ("determinism", 90, lambda s: tests(s, "with deterministic=true", REPEATS, processes=min(3, os.cpu_count() or 1), device=deterministic)),
    ("memory", 60, lambda s: tests(s, "what XLA plans", "^TestPlan$", verbose=True)),
    ("out of memory", 60, lambda s: tests(s, "out of memory, and on from there", "^Test(OutOfMemory|FreeGivesMemoryBack)$")),
    ("interrupt", 60, lambda s: tests(s, "interrupt", "^TestStopAndInterrupt$")),
]


def said(file, *command):
    """The first line of a file that pack left, or of a command."""
    path = os.path.join(bench.root, file)
    if os.path.isfile(path):
        with open(path) as f:
            return f.read().strip()
    if not shutil.which(command[0]):
        return "unknown"
    return subprocess.run(command, cwd=bench.root, capture_output=True, text=True).stdout.strip().partition("\n")[0]


def main():
    if not os.path.exists(binary):
        sys.exit(f"{binary} is missing: bench/gpu.sh makes it")
    os.makedirs(args.out, exist_ok=True)
    for old in os.listdir(args.out):
        if old == "results.md" or old.endswith(".log"):
            os.remove(os.path.join(args.out, old))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes")
    gpu = said("", "nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader") if args.device == "cuda" else "no GPU"
    say(f"{now}, {gpu}, {bench.machine()}, {said('GOVERSION', 'go', 'env', 'GOVERSION')}, holt {said('COMMIT', 'git', 'describe', '--always', '--dirty')}\n"
        f"{args.steps} steps; the batch is on the device; convolutions in TF32 on a GPU, products of matrices where a line says so")
    wanted = args.parts.split(",") if args.parts else [name for name, _, _ in PARTS]
    if unknown := set(wanted) - {name for name, _, _ in PARTS}:
        sys.exit(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(name for name, _, _ in PARTS)}")
    # PyTorch is read from the disk meanwhile, which takes half a minute the first time.
    subprocess.Popen([bench.peers, "-c", "import torchvision"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, limit, part in PARTS:
        if name not in wanted:
            continue
        limit *= args.limit / 900  # a shorter whole has shorter parts
        left = end - time.monotonic()
        if left < 5:
            say(f"\n{name}: no time is left")
            continue
        began = time.monotonic()
        try:
            part(min(limit, left))
        except Exception as e:  # the next parts are worth as much
            say(f"\n{name}: {type(e).__name__}: {e}")
            failed.append(name)
        say(f"\n({name}: {time.monotonic() - began:.0f} of at most {limit:.0f} s)")
    for note in sorted(set(bench.notes)):
        say(f"not measured: {note}")
    if failed:
        say("failed: " + ", ".join(failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
