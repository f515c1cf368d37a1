"""pytorch/examples/mnist with the weights and data of the test, without dropout: writes torch.json."""

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
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = torch.flatten(F.max_pool2d(x, 2), 1)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


net = Net()
fill(net)
opt = torch.optim.Adadelta(net.parameters(), lr=1)
schedule = torch.optim.lr_scheduler.StepLR(opt, step_size=1, gamma=0.7)
losses = []
for i in range(10):
    opt.zero_grad()
    loss = F.nll_loss(net(values(f"x{i}", 1, 8, 1, 28, 28)), labels(f"y{i}", 10, 8))
    loss.backward()
    opt.step()
    losses.append(loss.item())
    if i % 3 == 2:
        schedule.step()
save(__file__, losses=losses)
