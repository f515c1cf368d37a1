"""Writes logits.json: what torchvision's networks make of weights and a picture that a formula gives.

Made with torch 2.15.0 and torchvision 0.29.2: python logits.py
models_test.go has the same formula.
"""
import json
import os
import zlib

import numpy as np
import torch
import torchvision

SIDE = 64


def pattern(name, shape):
    """Numbers in [-1, 1) that follow from the name and the place, float64."""
    i = np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(zlib.crc32(name.encode()) << 20)
    with np.errstate(over="ignore"):
        h = i * np.uint64(0x9E3779B97F4A7C15)
        h ^= h >> np.uint64(32)
        h *= np.uint64(0xD6E8FEB86659FD93)
    return ((h >> np.uint64(40)).astype(np.float64) / 2**23 - 1).reshape(shape)


def value(name, like):
    p, shape = pattern(name, tuple(like.shape)), like.shape
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if len(shape) >= 2:
        p = p * np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith("running_var") or name.endswith("weight"):
        p = 1 + p / 2
    else:
        p = p / 10
    return torch.from_numpy(p.astype(np.float32))


out = {}
for name in ["alexnet", "vgg16", "vgg16_bn", "resnet18", "resnet34", "resnet50"]:
    net = getattr(torchvision.models, name)(weights=None).eval()
    state = net.state_dict()
    net.load_state_dict({k: value(k, v) for k, v in state.items()})
    x = torch.from_numpy(pattern("picture", (2, 3, SIDE, SIDE)).astype(np.float32))
    with torch.no_grad():
        y = net(x)
    out[name] = {
        "names": list(state),
        "params": sum(p.numel() for p in net.parameters()),
        "logits": y[:, :20].double().numpy().round(7).tolist(),
        "deviation": float(y.std()),
    }
    del net, state
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "logits.json")
json.dump(out, open(path, "w"), indent=0)
