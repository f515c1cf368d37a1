"""PyTorch's tutorial of adversarial examples, with the weights and data of the test: writes torch.json."""

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
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
        x = self.fc2(self.dropout2(F.relu(self.fc1(x))))
        return F.log_softmax(x, dim=1)


net = Net()
fill(net)
net.eval()
before, after = [], []
for i in range(10):
    x, y = values(f"x{i}", 0.5, 4, 1, 28, 28) + 0.5, labels(f"labels{i}", 10, 4)
    x.requires_grad = True
    loss = F.nll_loss(net(x), y)
    net.zero_grad()
    loss.backward()
    changed = torch.clamp(x + 0.03 * i * x.grad.data.sign(), 0, 1)
    before.append(loss.item())
    after.append(F.nll_loss(net(changed), y).item())
save(__file__, before=before, after=after)
