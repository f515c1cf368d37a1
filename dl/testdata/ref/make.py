"""Reference data for dl's tests, made by PyTorch: python make.py > torch.json

Inputs come from fill, a formula that the tests repeat, so that only results are stored. A result is a list of numbers:
the whole tensor where it is small, else its sum, its sum of absolute values and 32 of its values.
"""
import json
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)


def fill(shape, seed, bound=1.0):
    """Numbers between -bound and bound, exact in both languages up to the last rounding."""
    n = 1
    for s in shape:
        n *= s
    i = torch.arange(n, dtype=torch.int64)
    v = ((i * 7919 + seed * 104729 + (i * i) % 613) % 2003).double() / 1001.5 - 1
    return (v * bound).float().reshape(shape)


def brief(t):
    v = t.detach().double().flatten()
    if v.numel() <= 64:
        return [float(x) for x in v]
    step = v.numel() // 32
    return [float(v.sum()), float(v.abs().sum())] + [float(x) for x in v[::step][:32]]


def layer(f, x, *weights):
    """A layer's output, and the gradients of Σ output·fill for its input and weights."""
    x = x.clone().requires_grad_()
    weights = [w.clone().requires_grad_() for w in weights]
    y = f(x, *weights)
    (y * fill(y.shape, 9)).sum().backward()
    return {"output": brief(y), "shape": list(y.shape), "gradients": [brief(t.grad) for t in [x, *weights]]}


out = {"torch": torch.__version__, "conv": [], "pool": [], "net": {}}

for c in [
    dict(shape=[2, 3, 7, 6], Out=4, Kernel=3, Stride=1, Padding=0, Dilation=1, Groups=1),
    dict(shape=[2, 3, 8, 8], Out=4, Kernel=5, Stride=1, Padding=2, Dilation=1, Groups=1),
    dict(shape=[2, 3, 9, 10], Out=4, Kernel=3, Stride=2, Padding=1, Dilation=1, Groups=1),
    dict(shape=[2, 3, 10, 9], Out=4, Kernel=3, Stride=3, Padding=0, Dilation=1, Groups=1),
    dict(shape=[2, 3, 9, 9], Out=4, Kernel=3, Stride=1, Padding=2, Dilation=2, Groups=1),
    dict(shape=[2, 3, 11, 12], Out=4, Kernel=3, Stride=2, Padding=2, Dilation=2, Groups=1),
    dict(shape=[2, 4, 7, 7], Out=6, Kernel=3, Stride=1, Padding=1, Dilation=1, Groups=2),
    dict(shape=[2, 4, 8, 9], Out=8, Kernel=3, Stride=2, Padding=1, Dilation=1, Groups=4),
    dict(shape=[2, 3, 5, 5], Out=4, Kernel=1, Stride=1, Padding=0, Dilation=1, Groups=1),
    dict(shape=[2, 3, 8, 8], Out=4, Kernel=1, Stride=2, Padding=0, Dilation=1, Groups=1),
    dict(shape=[2, 3, 5, 5], Out=4, Kernel=1, Stride=1, Padding=1, Dilation=1, Groups=1),
    dict(shape=[2, 3, 8, 8], Out=4, Kernel=4, Stride=2, Padding=1, Dilation=1, Groups=1),
]:
    x = fill(c["shape"], 1)
    w = fill([c["Out"], c["shape"][1] // c["Groups"], c["Kernel"], c["Kernel"]], 2)
    b = fill([c["Out"]], 3)
    f = lambda x, w, b: F.conv2d(x, w, b, c["Stride"], c["Padding"], c["Dilation"], c["Groups"])
    out["conv"].append({"settings": c, **layer(f, x, w, b)})

for c in [
    dict(shape=[2, 3, 6, 6], Kernel=2, Stride=2, Padding=0, round=0),
    dict(shape=[2, 3, 7, 5], Kernel=2, Stride=2, Padding=0, round=0),
    dict(shape=[2, 3, 6, 6], Kernel=2, Stride=2, Padding=0, round=1),
    dict(shape=[2, 3, 9, 9], Kernel=3, Stride=3, Padding=0, round=1),
    dict(shape=[2, 3, 9, 8], Kernel=3, Stride=2, Padding=1, round=0),
    dict(shape=[2, 3, 8, 8], Kernel=3, Stride=1, Padding=0, round=0),
    dict(shape=[2, 3, 8, 8], Kernel=2, Stride=3, Padding=1, round=0),
    dict(shape=[2, 3, 9, 8], Kernel=3, Stride=2, Padding=1, round=1),
]:
    x = fill(c["shape"], 4)
    if c["round"]:
        x = (x * 2).round()  # many windows have several largest values
    f = lambda x: F.max_pool2d(x, c["Kernel"], c["Stride"], c["Padding"])
    out["pool"].append({"settings": c, **layer(f, x)})

x = fill([4, 5], 5)
out["relu"] = layer(F.relu, x.where(x.abs() > 0.2, torch.zeros(())))
out["linear"] = layer(F.linear, x, fill([3, 5], 6), fill([3], 7))
out["cross_entropy"] = layer(lambda x: F.cross_entropy(x * 5, torch.tensor([0, 2, 4, 1])), x)


def network():
    net = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10))
    with torch.no_grad():
        for i, (name, p) in enumerate(net.named_parameters()):
            fan = net.get_parameter(name.replace("bias", "weight"))[0].numel()
            p.copy_(fill(p.shape, 20 + i, fan**-0.5))
    return net


for name, make in {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.001),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p),
}.items():
    net = network()
    opt = make(net.parameters())
    losses = []
    for step in range(10):
        x, y = fill([8, 3, 32, 32], 40 + step), (torch.arange(8) * 3 + step) % 10
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        if step == 0 and name == "sgd":
            out["net"]["gradients"] = {n: brief(p.grad) for n, p in net.named_parameters()}
        opt.step()
        losses.append(loss.item())
    out["net"][name] = {"losses": losses, "params": {n: brief(p) for n, p in net.named_parameters()}}

print(json.dumps(out, indent=None, separators=(",", ":")))
