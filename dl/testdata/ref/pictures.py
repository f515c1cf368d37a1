"""Reference data for dl's layers of pictures, made by PyTorch: python pictures.py > pictures.json

The cases are as in layers.py.
"""
import json
import torch
from torch import nn
import torch.nn.functional as F
from common import fill, brief, Cases

out = {"torch": torch.__version__, "layers": [], "losses": [], "grids": []}
cases = Cases(out)
case, loss, shares = cases.layer, cases.loss, cases.shares

case("InstanceNorm2d", dict(), nn.InstanceNorm2d(3), [2, 3, 5, 4])
case("InstanceNorm2d", dict(Affine=True), nn.InstanceNorm2d(3, affine=True), [2, 3, 5, 4])
case("InstanceNorm2d", dict(Affine=True, Epsilon=0.01), nn.InstanceNorm2d(3, 0.01, affine=True), [2, 3, 5, 4], False)
for train in True, False:
    case("InstanceNorm2d", dict(Affine=True, Running=True, Momentum=0.3), nn.InstanceNorm2d(3, momentum=0.3, affine=True, track_running_stats=True), [2, 3, 5, 4], train)

case("PixelShuffle", dict(Upscale=2), nn.PixelShuffle(2), [2, 8, 3, 4])
case("PixelShuffle", dict(Upscale=3), nn.PixelShuffle(3), [1, 9, 2, 3])
case("PixelUnshuffle", dict(Downscale=2), nn.PixelUnshuffle(2), [2, 3, 4, 6])

case("ReflectionPad2d", dict(Padding=2), nn.ReflectionPad2d(2), [2, 3, 4, 5])
case("ReflectionPad2d", dict(Left=1, Right=4, Bottom=2), nn.ReflectionPad2d((1, 4, 0, 2)), [2, 3, 3, 5])
case("ReplicationPad2d", dict(Padding=2), nn.ReplicationPad2d(2), [2, 3, 4, 5])
case("ReplicationPad2d", dict(Padding=1, Left=6), nn.ReplicationPad2d((6, 1, 1, 1)), [2, 3, 4, 5])
case("ZeroPad2d", dict(Padding=1), nn.ZeroPad2d(1), [2, 3, 4, 5])
case("ZeroPad2d", dict(Left=1, Right=6, Top=2), nn.ZeroPad2d((1, 6, 2, 0)), [2, 3, 4, 5])

for settings, module in [
    (dict(Scale=2), nn.Upsample(scale_factor=2)), (dict(Scale=1.7), nn.Upsample(scale_factor=1.7)), (dict(Scale=0.6), nn.Upsample(scale_factor=0.6)),
    (dict(Size=[7, 11]), nn.Upsample((7, 11))), (dict(Size=[8, 15]), nn.Upsample((8, 15))), (dict(Size=[2, 3]), nn.Upsample((2, 3))),
    (dict(Scale=2, Mode="bilinear"), nn.Upsample(scale_factor=2, mode="bilinear")), (dict(Scale=1.7, Mode="bilinear"), nn.Upsample(scale_factor=1.7, mode="bilinear")),
    (dict(Size=[3, 9], Mode="bilinear"), nn.Upsample((3, 9), mode="bilinear")),
    (dict(Size=[7, 1], Mode="bilinear", AlignCorners=True), nn.Upsample((7, 1), mode="bilinear", align_corners=True)),
    (dict(Scale=2, Mode="bilinear", AlignCorners=True), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)),
]:
    case("Upsample", settings, module, [2, 3, 4, 5])

case("Dropout2d", dict(P=0.3), nn.Dropout2d(0.3), [2, 3, 4, 5], False)

w = [0.5, 2.0, 1.0, 0.0, 1.5]
for reduction in "mean", "sum", "none":
    loss("BCELoss", {"Reduction": reduction, "Weight": w}, nn.BCELoss(torch.tensor(w), reduction=reduction), [4, 5], shares([4, 5], "unit"))
loss("BCELoss", {}, nn.BCELoss(), [4, 5], shares([4, 5], "zeros"))


def grid(theta, image, **kwargs):
    """affine_grid and grid_sample in a row."""
    t = fill([image[0], 2, 3], 3, theta).requires_grad_()
    x = fill(image, 1).requires_grad_()
    corners = kwargs.get("align_corners", False)
    g = F.affine_grid(t + torch.eye(2, 3), [image[0], image[1], 4, 6], align_corners=corners)
    y = F.grid_sample(x, g, **{"align_corners": False, **kwargs})
    (y * fill(y.shape, 9)).sum().backward()
    out["grids"].append({"theta": theta, "image": image, "mode": kwargs.get("mode", "bilinear"), "padding": kwargs.get("padding_mode", "zeros"), "corners": corners,
                         "grid": brief(g), "output": brief(y), "shape": list(y.shape), "x": brief(x.grad), "t": brief(t.grad)})


for corners in False, True:
    for padding in "zeros", "border", "reflection":
        for theta in 0.3, 2.5:
            grid(theta, [2, 3, 5, 4], padding_mode=padding, align_corners=corners)
            grid(theta, [2, 3, 5, 4], padding_mode=padding, align_corners=corners, mode="nearest")
grid(0.3, [1, 1, 1, 1])
grid(0.3, [1, 1, 1, 1], align_corners=True, padding_mode="reflection")

print(json.dumps(out, separators=(",", ":")))
