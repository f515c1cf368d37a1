"""pytorch/examples/siamese_network without the last two stages of its ResNet, with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
import torchvision
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.resnet = torchvision.models.resnet18(weights=None)
        self.resnet.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.resnet.fc = nn.Identity()
        self.resnet.layer3 = self.resnet.layer4 = nn.Identity()
        self.fc = nn.Sequential(nn.Linear(256, 256), nn.ReLU(inplace=True), nn.Linear(256, 1))

    def forward(self, a, b):
        return torch.sigmoid(self.fc(torch.cat((self.resnet(a), self.resnet(b)), 1)))


net = SiameseNetwork()
fill(net)
net.resnet.eval()
opt = torch.optim.Adadelta(net.parameters(), lr=1)
losses = []
for i in range(10):
    opt.zero_grad()
    a, b = values(f"a{i}", 1, 4, 1, 28, 28), values(f"b{i}", 1, 4, 1, 28, 28)
    loss = nn.functional.binary_cross_entropy(net(a, b).squeeze(), labels(f"same{i}", 2, 4).float())
    loss.backward()
    opt.step()
    losses.append(loss.item())
save(__file__, losses=losses)
