"""The tutorial network on the whole of CIFAR-10 in PyTorch: test accuracy after each epoch, for each seed.

    python cifar_torch.py DIR [--epochs 3] [--seeds 0,1,2] [--device cpu]

DIR holds cifar-10-batches-bin, or is that folder: CIFAR-10 in its binary layout, one label byte and 3072 bytes of
pixels a picture (https://www.cs.toronto.edu/~kriz/cifar.html). Pixels are scaled to [0, 1] as ToTensor does and nothing
else; every epoch goes through a fresh shuffle, and its last, smaller batch is kept. bench/cifar trains the same in Holt.
Prints one line of JSON after each epoch and one at the end.
"""
import argparse
import json
import os
import statistics
import time

import numpy as np
import torch
from torch import nn


def read(dir, names):
    """Returns pictures [N 3 32 32] float32 in [0, 1] and labels [N]."""
    raw = np.concatenate([np.fromfile(os.path.join(dir, n), np.uint8).reshape(-1, 3073) for n in names])
    x = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).copy()).float().div_(255)
    return x, torch.from_numpy(raw[:, 0].astype(np.int64))


def network():
    return nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10))


@torch.no_grad()
def accuracy(net, x, y):
    net.eval()
    right = sum((net(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), y.split(500)))
    net.train()
    return right / len(y)


def train(seed, args, data):
    torch.manual_seed(seed)
    x, y, tx, ty = data
    net = network().to(args.device)
    loss_fn, opt = nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.01)
    for epoch in range(1, args.epochs + 1):
        start, total = time.perf_counter(), 0.0
        for i in torch.randperm(len(y)).split(64):
            opt.zero_grad()
            loss = loss_fn(net(x[i]), y[i])
            loss.backward()
            opt.step()
            total += loss.item() * len(i)
        seconds = time.perf_counter() - start
        acc = accuracy(net, tx, ty)
        print(json.dumps({"seed": seed, "epoch": epoch, "train_loss": round(total / len(y), 4),
                          "test_accuracy": acc, "seconds": round(seconds, 1)}), flush=True)
    return acc


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--seeds", default="0,1,2")
    p.add_argument("--device", default="cpu")
    args = p.parse_args()
    sub = os.path.join(args.dir, "cifar-10-batches-bin")
    dir = sub if os.path.isdir(sub) else args.dir
    data = [t.to(args.device) for t in
            (*read(dir, [f"data_batch_{i}.bin" for i in range(1, 6)]), *read(dir, ["test_batch.bin"]))]
    last = [train(int(s), args, data) for s in args.seeds.split(",")]
    print(json.dumps({"peer": f"torch {torch.__version__} {args.device}", "epochs": args.epochs, "seeds": args.seeds,
                      "test_accuracy_mean": round(statistics.mean(last), 4),
                      "test_accuracy_min": min(last), "test_accuracy_max": max(last)}))


if __name__ == "__main__":
    main()
