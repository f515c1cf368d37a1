"""Reference data for WGAN-GP's gradient penalty, made by PyTorch: python penalty.py > penalty.json

For each critic: its loss, the penalty in it, and the gradients of the loss for the critic's parameters, which start
with numbers of fill.
"""
import json
import torch
from torch import nn
from common import fill, brief

critics = {
    "convolutions": nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False), nn.InstanceNorm2d(4, affine=True), nn.LeakyReLU(0.2),
                                  nn.Conv2d(4, 6, 3, groups=2), nn.Tanh(), nn.Flatten(), nn.Linear(24, 1)),
    "batch normalization": nn.Sequential(nn.ConvTranspose2d(2, 3, 2, stride=2, bias=False), nn.BatchNorm2d(3), nn.SiLU(), nn.Conv2d(3, 2, 3, stride=3, dilation=2),
                                         nn.Flatten(), nn.Linear(32, 1)),
    "layers": nn.Sequential(nn.Flatten(), nn.Linear(128, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 1)),
}

out = {"torch": torch.__version__}
for name, critic in critics.items():
    with torch.no_grad():
        for i, p in enumerate(critic.parameters()):
            p.copy_(fill(p.shape, 20 + i, 0.5))
    real, fake = fill([3, 2, 8, 8], 1), fill([3, 2, 8, 8], 2)
    share = torch.tensor([0.25, 0.5, 0.875]).reshape(3, 1, 1, 1)
    between = (share * real + (1 - share) * fake).requires_grad_()
    slope, = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = ((slope.flatten(1).norm(2, 1) - 1) ** 2).mean()
    loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
    loss.backward()
    out[name] = {"loss": brief(loss), "penalty": brief(penalty), "grads": {n: brief(p.grad) for n, p in critic.named_parameters()}}
print(json.dumps(out, separators=(",", ":")))
