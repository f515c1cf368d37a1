"""What the scripts of this folder share: numbers that the tests repeat, and how results are shortened."""
import torch

torch.set_num_threads(1)


def fill(shape, seed, bound=1.0):
    """Numbers between -bound and bound, exact in both languages up to the last rounding."""
    n = 1
    for s in shape:
        n *= s
    i = torch.arange(n, dtype=torch.int64)
    v = ((i * 7919 + seed * 104729 + (i * i) % 613) % 2003).double() / 1001.5 - 1
    return (v * bound).float().reshape(tuple(shape))


def brief(t):
    """The whole tensor where it is small, else its sum, its sum of absolute values and 32 of its values."""
    v = t.detach().double().flatten()
    if v.numel() > 64:
        step = v.numel() // 32
        v = torch.cat([v.sum()[None], v.abs().sum()[None], v[::step][:32]])
    return [float(f"{float(x):.9g}") for x in v]
