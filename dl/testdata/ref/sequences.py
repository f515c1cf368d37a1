"""Reference data for dl's layers of sequences and norms, made by PyTorch: python sequences.py > sequences.json

The cases are as in layers.py.
"""
import json
import torch
from torch import nn
import torch.nn.functional as F
from common import Cases

out = {"torch": torch.__version__, "layers": [], "losses": []}
cases = Cases(out)
case, loss, shares = cases.layer, cases.loss, cases.shares

case("Conv1d", dict(Out=4, Kernel=3), nn.Conv1d(3, 4, 3), [2, 3, 9])
case("Conv1d", dict(Out=4, Kernel=5, Stride=2, Padding=2, Dilation=2, Groups=2), nn.Conv1d(2, 4, 5, 2, 2, 2, 2), [2, 2, 12])
case("Conv1d", dict(Out=6, Kernel=4, Same=True, NoBias=True), nn.Conv1d(3, 6, 4, padding="same", bias=False), [2, 3, 7])
case("Conv1d", dict(Out=3, Kernel=7, Padding=3), nn.Conv1d(2, 3, 7, padding=3), [2, 2, 4])

case("MaxPool1d", dict(Kernel=2), nn.MaxPool1d(2), [2, 3, 8])
case("MaxPool1d", dict(Kernel=3, Stride=2, Padding=1, Ceil=True), nn.MaxPool1d(3, 2, 1, ceil_mode=True), [2, 3, 8], round=2)
case("MaxPool1d", dict(Kernel=3, Stride=1, Dilation=2), nn.MaxPool1d(3, 1, 0, 2), [2, 3, 8])
case("AvgPool1d", dict(Kernel=2), nn.AvgPool1d(2), [2, 3, 9])
case("AvgPool1d", dict(Kernel=4, Stride=3, Padding=2), nn.AvgPool1d(4, 3, 2), [2, 3, 9])
case("AvgPool1d", dict(Kernel=3, Stride=2, Padding=1, Ceil=True, NoPad=True), nn.AvgPool1d(3, 2, 1, True, False), [2, 3, 8])
case("AdaptiveAvgPool1d", dict(Out=4), nn.AdaptiveAvgPool1d(4), [2, 3, 10])
case("AdaptiveAvgPool1d", dict(Out=1), nn.AdaptiveAvgPool1d(1), [2, 3, 7])

case("GroupNorm", dict(Groups=2), nn.GroupNorm(2, 6), [2, 6, 3, 4])
case("GroupNorm", dict(Groups=3, Epsilon=0.01), nn.GroupNorm(3, 3, 0.01), [2, 3, 5])
case("GroupNorm", dict(Groups=1, NoAffine=True), nn.GroupNorm(1, 6, affine=False), [4, 6])
case("RMSNorm", dict(), nn.RMSNorm(5), [2, 3, 5])
case("RMSNorm", dict(Shape=[3, 5], Epsilon=0.001), nn.RMSNorm([3, 5], 0.001), [2, 3, 5])
case("RMSNorm", dict(NoAffine=True), nn.RMSNorm(5, elementwise_affine=False), [2, 5])
case("PReLU", dict(), nn.PReLU(), [2, 3, 4])
case("PReLU", dict(Slopes=3, Start=0.1), nn.PReLU(3, 0.1), [2, 3, 4])

for reduction in "mean", "sum", "none":
    loss("HuberLoss", dict(Delta=0.5, Reduction=reduction), nn.HuberLoss(reduction, 0.5), [3, 4], shares([3, 4], "plain"))
loss("HuberLoss", dict(), nn.HuberLoss(), [3, 4], shares([3, 4], "plain"))

print(json.dumps(out, indent=None, separators=(",", ":")))
