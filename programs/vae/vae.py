"""pytorch/examples/vae with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save, values  # noqa: E402


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def loss(self, x, noise):
        h = F.relu(self.fc1(x))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + noise * torch.exp(0.5 * logvar)
        out = torch.sigmoid(self.fc4(F.relu(self.fc3(z))))
        bce = F.binary_cross_entropy(out, x, reduction="sum")
        return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


vae = VAE()
fill(vae)
opt = torch.optim.Adam(vae.parameters(), lr=1e-3)
losses = []
for i in range(10):
    opt.zero_grad()
    loss = vae.loss(values(f"x{i}", 0.5, 16, 784) + 0.5, values(f"noise{i}", 1.5, 16, 20))
    loss.backward()
    opt.step()
    losses.append(loss.item())
save(__file__, losses=losses)
