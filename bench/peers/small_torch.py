"""PyTorch's side of dl's BenchmarkSmall: microseconds a call at once, on float32 [64 128].

    python small_torch.py

Prints one line of JSON: by name, the least, the median and the processor time of a call.
"""
import json
import time

import torch

x, y, w, row = torch.rand(64, 128), torch.rand(64, 128), torch.rand(128, 128), torch.rand(128)
times = {}


def timed(name, f):
    for _ in range(20):
        f()
    walls, before = [], time.process_time()
    for _ in range(200):
        start = time.perf_counter()
        for _ in range(100):
            f()
        walls.append((time.perf_counter() - start) / 100 * 1e6)
    used = (time.process_time() - before) / 200 / 100 * 1e6
    walls.sort()
    times[name] = {"min": walls[0], "median": walls[100], "cpu": used}


with torch.no_grad():
    timed("Add", lambda: x + y)
    timed("AddRow", lambda: x + row)
    timed("ReLU", lambda: x.relu())
    timed("Scale", lambda: x * 2)
    timed("SumItem", lambda: x.sum().item())
    timed("SumRows", lambda: x.sum(0))
    timed("MatMul", lambda: x @ w)
print(json.dumps({"version": torch.__version__, "times": times}))
