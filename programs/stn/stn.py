"""PyTorch's tutorial of spatial transformers with the weights and data of the test, without dropout: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, 10)
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=7), nn.MaxPool2d(2, stride=2), nn.ReLU(True),
            nn.Conv2d(8, 10, kernel_size=5), nn.MaxPool2d(2, stride=2), nn.ReLU(True),
        )
        self.fc_loc = nn.Sequential(nn.Linear(10 * 3 * 3, 32), nn.ReLU(True), nn.Linear(32, 3 * 2))

    def stn(self, x):
        theta = self.fc_loc(self.localization(x).view(-1, 90)).view(-1, 2, 3)
        return F.grid_sample(x, F.affine_grid(theta, x.size(), align_corners=False), align_corners=False)

    def forward(self, x):
        x = self.stn(x)
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        x = F.relu(self.fc1(x.view(-1, 320)))
        return F.log_softmax(self.fc2(x), dim=1)


net = Net()
fill(net)
opt = torch.optim.SGD(net.parameters(), lr=0.01)
losses = []
for i in range(10):
    opt.zero_grad()
    loss = F.nll_loss(net(values(f"x{i}", 1, 8, 1, 28, 28)), labels(f"y{i}", 10, 8))
    loss.backward()
    opt.step()
    losses.append(loss.item())
with torch.no_grad():
    moved = net.stn(values("x", 1, 2, 1, 28, 28)).mean(2).flatten()
save(__file__, losses=losses, map=net.fc_loc[2].bias.tolist(), moved=moved.tolist())
