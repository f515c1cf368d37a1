"""pytorch/examples/dcgan with the weights and data of the test, for pictures of 16 × 16: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save, values  # noqa: E402

size, nc, nz, ngf, ndf, n = 16, 3, 100, 64, 64, 8


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False), nn.Tanh(),
        )

    def forward(self, x):
        return self.main(x)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 2), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False), nn.Sigmoid(),
        )

    def forward(self, x):
        return self.main(x).view(-1, 1).squeeze(1)


g, d = Generator(), Discriminator()
fill(g)
fill(d)
criterion = nn.BCELoss()
opt_d = torch.optim.Adam(d.parameters(), lr=0.0002, betas=(0.5, 0.999))
opt_g = torch.optim.Adam(g.parameters(), lr=0.0002, betas=(0.5, 0.999))
losses_d, losses_g = [], []
for i in range(10):
    d.zero_grad()
    real, z = values(f"x{i}", 1, n, nc, size, size), values(f"z{i}", 1.5, n, nz, 1, 1)
    loss_real = criterion(d(real), torch.ones(n))
    loss_real.backward()
    fake = g(z)
    loss_fake = criterion(d(fake.detach()), torch.zeros(n))
    loss_fake.backward()
    opt_d.step()
    g.zero_grad()
    loss_g = criterion(d(fake), torch.ones(n))
    loss_g.backward()
    opt_g.step()
    losses_d.append((loss_real + loss_fake).item())
    losses_g.append(loss_g.item())
save(__file__, discriminator=losses_d, generator=losses_g, running=g.main[4].running_var[:10].tolist())
