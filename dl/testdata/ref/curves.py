"""Losses of 50 training steps, made by PyTorch: python curves.py

Writes curves.json and the weights that both sides begin with: resnet.safetensors, of a ResNet18 with fewer channels on
64×64 pictures (so that a test has the time), by torchvision's names, and tutorial.safetensors, of the tutorial network.
"""
import copy
import json
import torch
from torch import nn
import torch.nn.functional as F
from safetensors.torch import save_file
from common import fill


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for i in range(4):
            inputs, outputs, stride = width * 2 ** max(i - 1, 0), width * 2**i, 1 if i == 0 else 2
            self.add_module(f"layer{i + 1}", nn.Sequential(Block(inputs, outputs, stride), Block(outputs, outputs, 1)))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width * 8, 10)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def tutorial():
    return nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2), nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10))


def train(net, batch, side, lr, dtype=torch.float32):
    net = net.to(dtype)
    opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    losses = []
    for step in range(50):
        x, y = fill([batch, 3, side, side], 40 + step).to(dtype), (torch.arange(batch) * 3 + step) % 10
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        losses.append(float(f"{loss.item():.9g}"))
    net.eval()
    return losses, [float(f"{v:.9g}") for v in net(fill([2, 3, side, side], 7).to(dtype)).flatten().tolist()]


torch.manual_seed(0)
out = {"torch": torch.__version__}
resnet = ResNet(8)
# torchvision's initial values, with its zero_init_residual. Without the latter a ResNet's first steps are chaotic: PyTorch's own
# losses in float32 and float64 part by 1e-2 within ten steps, so that no other program can follow them. With it, they
# agree to 1e-6 for 50 steps, which the last line prints.
for m in resnet.modules():
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
    if isinstance(m, Block):
        nn.init.zeros_(m.bn2.weight)
for name, net, batch, side, lr in ("resnet", resnet, 16, 64, 0.001), ("tutorial", tutorial(), 8, 32, 0.01):
    save_file(net.state_dict(), name + ".safetensors")
    losses, after = train(copy.deepcopy(net), batch, side, lr)
    out[name] = {"losses": losses, "eval": after}
    double, _ = train(net, batch, side, lr, torch.float64)
    print(name, "in float64 differs by", max(abs(a - b) / b for a, b in zip(losses, double)))
json.dump(out, open("curves.json", "w"), separators=(",", ":"))
