"""Milliseconds that PyTorch takes for a training step of the tutorial network.

    python step_torch.py [--device cpu] [--steps 60] [--channels-last]

Three 5x5 convolutions (32, 32, 64 channels, padding 2), each followed by 2x2 max pooling, then 1024 -> 64 -> 10; cross
entropy, SGD with learning rate 0.01, batch 64, random input. The loss is read after every step. Prints one line of JSON.
"""
import argparse
import json
import time

import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--device", default="cpu")
p.add_argument("--steps", type=int, default=60)
p.add_argument("--channels-last", action="store_true")
args = p.parse_args()
form = torch.channels_last if args.channels_last else torch.contiguous_format

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2),
    nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10)).to(args.device, memory_format=form)
loss_fn, opt = nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.01)
x = torch.rand(64, 3, 32, 32, device=args.device).contiguous(memory_format=form)
y = torch.randint(0, 10, (64,), device=args.device)


def step():
    opt.zero_grad()
    loss = loss_fn(net(x), y)
    loss.backward()
    opt.step()
    return loss.item()


for _ in range(10):
    step()
times = []
for _ in range(args.steps):
    start = time.perf_counter()
    step()
    times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"version": torch.__version__, "device": args.device, "threads": torch.get_num_threads(), "ms": times}))
