"""Reference data for dl's optimizers, made by PyTorch: python make.py > torch.json

Inputs come from fill, a formula that the tests repeat, so that only results are stored.
"""
import json
import torch
from torch import nn
import torch.nn.functional as F
from common import fill, brief

out = {"torch": torch.__version__, "net": {}}


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
