"""What every program's PyTorch script uses: the values of package reference, and the file of its numbers.

A script is run by hand, where PyTorch is installed, in its own folder: python vae.py
"""

import json
import math
from pathlib import Path

import numpy as np
import torch

torch.set_num_threads(1)


def values(name, bound, *shape):
    """Numbers between -bound and bound that depend on the name alone: see Values in reference.go."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        x = np.uint64(seed) + np.arange(1, math.prod(shape) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    v = ((x >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)) * np.float32(bound)
    return torch.from_numpy(v.reshape(shape).copy())


def labels(name, classes, n):
    """Class numbers below classes: see Labels in reference.go."""
    return ((values(name, 1, n) + 1) / 2 * classes).long().clamp(max=classes - 1)


@torch.no_grad()
def fill(module, rename=lambda name: name):
    """Gives each parameter its values by name, as Fill in reference.go. rename turns PyTorch's name into Holt's."""
    for name, p in module.named_parameters():
        name = rename(name)
        if p.dim() > 1:
            p.copy_(values(name, 1 / math.sqrt(p.numel() // p.shape[0]), *p.shape))
        else:
            p.copy_(values(name, 0.1, *p.shape) + (1 if name.endswith("weight") else 0))


def save(folder, **lists):
    """Writes the lists of numbers to torch.json in the folder of the script, with PyTorch's version."""
    lists = {name: [float(f"{float(x):.9g}") for x in numbers] for name, numbers in lists.items()}
    path = Path(folder).resolve().parent / "torch.json"
    path.write_text(json.dumps({"Torch": torch.__version__.split("+")[0], "Lists": lists}) + "\n")
    print(path.name, {name: numbers[:3] for name, numbers in lists.items()})
