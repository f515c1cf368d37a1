"""pytorch/examples/time_sequence_prediction with the weights and waves of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save  # noqa: E402


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(1, 51)
        self.lstm2 = nn.LSTMCell(51, 51)
        self.linear = nn.Linear(51, 1)

    def forward(self, x, future=0):
        outputs = []
        h1, c1, h2, c2 = (torch.zeros(x.size(0), 51, dtype=torch.double) for _ in range(4))
        for value in x.split(1, dim=1):
            h1, c1 = self.lstm1(value, (h1, c1))
            h2, c2 = self.lstm2(h1, (h2, c2))
            output = self.linear(h2)
            outputs.append(output)
        for _ in range(future):
            h1, c1 = self.lstm1(output, (h1, c1))
            h2, c2 = self.lstm2(h1, (h2, c2))
            output = self.linear(h2)
            outputs.append(output)
        return torch.cat(outputs, dim=1)


steps = torch.arange(1000).repeat(4, 1) + 7 * torch.arange(4)[:, None]
waves = torch.sin(steps.double() / 20).float().double()
net = Sequence()
fill(net)
net.double()
with torch.no_grad():
    future = net(waves, future=4)[:, 999:]  # the first is what is expected after the wave
opt = torch.optim.LBFGS(net.parameters(), lr=0.8, max_iter=10)
losses = []


def closure():
    opt.zero_grad()
    loss = nn.MSELoss()(net(waves[:, :-1]), waves[:, 1:])
    loss.backward()
    losses.append(loss.item())
    return loss


opt.step(closure)
save(__file__, losses=losses, future=future.flatten())
