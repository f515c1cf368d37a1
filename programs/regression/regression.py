"""pytorch/examples/regression with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save, values  # noqa: E402

fc = torch.nn.Linear(4, 1)
fill(fc)
weight, bias = values("target", 5, 4, 1), values("offset", 5, 1)
losses = []
for i in range(10):
    x = values(f"x{i}", 1.5, 32).unsqueeze(1)
    x = torch.cat([x**k for k in range(1, 5)], 1)
    y = x.mm(weight) + bias.item()
    fc.zero_grad()
    loss = F.smooth_l1_loss(fc(x), y)
    loss.backward()
    for p in fc.parameters():
        p.data.add_(-0.1 * p.grad)
    losses.append(loss.item())
save(__file__, losses=losses)
