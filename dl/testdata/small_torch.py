"""PyTorch's side of BenchmarkSmall and BenchmarkStepMLP: microseconds a call, THREADS threads.

    python small_torch.py [THREADS]
"""
import sys
import time

import torch
from torch import nn

if len(sys.argv) > 1:
    torch.set_num_threads(int(sys.argv[1]))
x, y, w, row = torch.rand(64, 128), torch.rand(64, 128), torch.rand(128, 128), torch.rand(128)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
images, labels = torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))
opt, loss_fn = torch.optim.SGD(net.parameters(), lr=0.01), nn.CrossEntropyLoss()


def step():
    opt.zero_grad()
    loss = loss_fn(net(images), labels)
    loss.backward()
    opt.step()
    return loss.item()


def timed(name, f, rounds, n):
    for _ in range(20):
        f()
    times = []
    cpu = time.process_time()
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(n):
            f()
        times.append((time.perf_counter() - start) / n * 1e6)
    cpu = (time.process_time() - cpu) / rounds / n * 1e6
    times.sort()
    print(f"{name}: min {times[0]:.1f}, median {times[rounds // 2]:.1f}, cpu {cpu:.1f} µs")


with torch.no_grad():
    timed("Add", lambda: x + y, 200, 100)
    timed("AddRow", lambda: x + row, 200, 100)
    timed("ReLU", lambda: x.relu(), 200, 100)
    timed("Scale", lambda: x * 2, 200, 100)
    timed("SumItem", lambda: x.sum().item(), 200, 100)
    timed("SumRows", lambda: x.sum(0), 200, 100)
    timed("MatMul", lambda: x @ w, 100, 100)
timed("step", step, 500, 1)
