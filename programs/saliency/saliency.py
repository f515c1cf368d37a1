"""Saliency maps and Grad-CAM in PyTorch with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save, values  # noqa: E402


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(64, classes)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


net = Net(10)
fill(net)
x = values("x", 1, 2, 3, 16, 16)

x.requires_grad_()
net(x).max(1).values.sum().backward()
saliency = x.grad.abs().max(1).values

features = net.features(x)
features.retain_grad()
net.head(features.mean((2, 3))).max(1).values.sum().backward()
weight = features.grad.mean((2, 3), keepdim=True)
gradcam = torch.relu((features * weight).sum(1)).detach()

save(
    __file__,
    saliency=saliency[1, 5],
    **{"saliency sums": saliency.sum((1, 2)), "gradcam": gradcam[0].flatten(), "gradcam sums": gradcam.sum((1, 2))},
)
