"""A hundred steps of each network on a GPU, on the processor, and in PyTorch: the table of bench/gpu.sh, which see."""

import argparse
import datetime
import os
import shutil
import statistics
import subprocess
import sys

import bench

p = argparse.ArgumentParser()
p.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
p.add_argument("--steps", type=int, default=100)
p.add_argument("--rounds", type=int, default=3)
args = p.parse_args()

WORK = {
    "training step of the tutorial network, batch 64": ("TrainStepCIFARNet/cpu", ["cifar"]),
    "forward pass of the tutorial network, batch 64": ("PredictCIFARNet", ["cifar", "--predict"]),
    "training step of ResNet18, 16 pictures of 64×64": ("TrainStepResNet18", ["resnet18"]),
    "training step of a transformer of two layers": ("TrainStepTransformer", ["transformer"]),
}
devices = list(dict.fromkeys([args.device, "cpu"]))


def parties(name, net):
    """Who takes turns: HOLT_TEST_XLA puts a device in the place of cpu in the benchmarks' names."""
    for device in devices:
        yield f"Holt, {device}", lambda d=device: ours(name, d)
    if bench.has_module("torch") and (net[0] != "resnet18" or bench.has_module("torchvision")):
        for device in devices:
            yield f"PyTorch, {device}", lambda d=device: bench.json_line(
                [bench.peers, "bench/peers/step_torch.py", *net, "--device", d, "--copy", "--steps", str(args.steps)])


def ours(name, device):
    got = bench.go_bench("dl", name, f"{args.steps}x", HOLT_TEST_XLA=device)
    return got and {"ms": [got["median-ms/op"]]}


def said(file, *command):
    """The first line of a file that pack left, or of a command."""
    path = os.path.join(bench.root, file)
    if os.path.exists(path):
        return open(path).read().strip()
    if not shutil.which(command[0]):
        return "unknown"
    return subprocess.run(command, cwd=bench.root, capture_output=True, text=True).stdout.strip().partition("\n")[0]


def main():
    binary = os.path.join(bench.here, "out", "dl.test")
    if not os.path.exists(binary):
        sys.exit(f"{binary} is missing: bench/gpu.sh makes it")
    bench.built.add(binary)
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes")
    gpu = said("", "nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader") if args.device == "cuda" else "no GPU"
    lines = [f"{now}, {gpu}, {bench.machine()}, {said('GOVERSION', 'go', 'env', 'GOVERSION')}, holt {said('COMMIT', 'git', 'describe', '--always', '--dirty')}",
             f"{args.rounds} rounds in turn of {args.steps} steps each; the batch starts on the host; TF32 as each has it by default", "",
             "| ms, median | " + " | ".join(f"Holt, {d}" for d in devices) + " | " + " | ".join(f"PyTorch, {d}" for d in devices)
             + f" | Holt / PyTorch on {args.device} |", "| --- |" + " ---: |" * (2 * len(devices) + 1)]  # fmt: skip
    version = ""
    for title, (name, net) in WORK.items():
        ms = {}
        for i in range(args.rounds):
            for party, run in parties(name, net):
                print(f"  round {i + 1}: {title}: {party}", file=sys.stderr)
                if got := run():
                    ms.setdefault(party, []).append(statistics.median(got["ms"]))
                    version = got.get("version", version)
        cells = [f"{statistics.median(ms[party]):.2f}" if party in ms else "" for party in [f"{who}, {d}" for who in ("Holt", "PyTorch") for d in devices]]
        both = [ms.get(f"{who}, {args.device}") for who in ("Holt", "PyTorch")]
        ratio = f"{statistics.median(both[0]) / statistics.median(both[1]):.2f}" if all(both) else ""
        lines.append(f"| {title} | {' | '.join(cells)} | {ratio} |")
    print("\n".join(lines))
    print(f"\nPyTorch {version}" if version else "\nPyTorch is not here: not compared")
    for note in sorted(set(bench.notes)):
        print(f"not measured: {note}")


if __name__ == "__main__":
    main()
