"""Pictures a second of torchvision's loader: ImageFolder, Resize 256, RandomCrop 224, flip, ToTensor, Normalize, batch 16.

    python loader_torch.py FOLDER [--workers 4] [--epochs 3] [--cifar]

With --cifar it is 10,000 pictures of 32x32 from memory, as torchvision's CIFAR10 has them: RandomCrop 32 with padding 4,
flip, ToTensor, Normalize, batch 64; FOLDER is not read.

The first epoch starts the workers and is not timed. Prints one line of JSON: pictures a second of wall time in each
epoch; milliseconds of processor time a picture, user and system, of this process and its workers, which a busy machine
changes less; and the peak memory of each process, in MB.
"""
import argparse
import json
import os
import pathlib
import time

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision import transforms as t

p = argparse.ArgumentParser()
p.add_argument("folder")
p.add_argument("--workers", type=int, default=4)
p.add_argument("--epochs", type=int, default=3)
p.add_argument("--cifar", action="store_true")
args = p.parse_args()
normal = [t.RandomHorizontalFlip(), t.ToTensor(), t.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]


class Small(torch.utils.data.Dataset):
    def __init__(self):
        self.pixels = np.random.default_rng(0).integers(0, 256, (10_000, 32, 32, 3), dtype=np.uint8)
        self.transform = t.Compose([t.RandomCrop(32, padding=4), *normal])

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.pixels[i])), i % 10


data = Small() if args.cifar else torchvision.datasets.ImageFolder(args.folder, t.Compose([t.Resize(256), t.RandomCrop(224), *normal]))
loader = torch.utils.data.DataLoader(data, batch_size=64 if args.cifar else 16, shuffle=True, num_workers=args.workers, persistent_workers=args.workers > 0)


def processes():
    workers = getattr(loader._iterator, "_workers", []) if args.workers else []
    return [os.getpid()] + [w.pid for w in workers]


def seconds():  # of processor time, proc(5): utime and stime come 11 fields after the name
    ticks = 0
    for pid in processes():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peaks():
    lines = [line for pid in processes() for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()]
    return [int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")]


rates, cpu = [], []
for epoch in range(args.epochs + 1):
    start, n = time.perf_counter(), 0
    before = seconds() if epoch > 0 else 0
    for x, y in loader:
        n += len(y)
    if epoch > 0:
        rates.append(n / (time.perf_counter() - start))
        cpu.append(1000 * (seconds() - before) / n)
print(json.dumps({"version": torchvision.__version__, "pictures": len(data), "rate": rates, "cpu_ms": cpu, "peak_mb": peaks()}))
