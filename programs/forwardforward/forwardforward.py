"""pytorch/examples/mnist_forward_forward with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402

threshold = 2


class Layer(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.fc = nn.Linear(n_in, n_out)

    def forward(self, x):
        return torch.relu(self.fc(x / (x.norm(2, 1, keepdim=True) + 1e-4)))

    def train_steps(self, pos, neg, steps):
        opt = torch.optim.Adam(self.parameters(), lr=0.03)
        for _ in range(steps):
            g_pos = self.forward(pos).pow(2).mean(1)
            g_neg = self.forward(neg).pow(2).mean(1)
            loss = torch.log1p(torch.exp(torch.cat([-g_pos + threshold, g_neg - threshold]))).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        return self.forward(pos).detach(), self.forward(neg).detach()


def overlay(x, y):
    x = x.clone()
    most = x.max()
    x[:, :10] *= 0.0
    x[range(x.shape[0]), y] = most
    return x


net = nn.Module()
net.layers = nn.ModuleList([Layer(784, 500), Layer(500, 500)])
fill(net)
x = values("x", 1, 32, 784)
pos, neg = overlay(x, labels("right", 10, 32)), overlay(x, labels("wrong", 10, 32))
losses = []
for layer in net.layers:
    pos, neg = layer.train_steps(pos, neg, 5)
goodness = []
for label in range(10):
    h, sums = overlay(x, torch.full((32,), label)), 0
    for layer in net.layers:
        h = layer(h)
        sums = sums + h.pow(2).mean(1)
    goodness.append(sums.unsqueeze(1))
save(__file__, losses=losses, predicted=torch.cat(goodness, 1).argmax(1).tolist())
