"""PyTorch's neural style transfer tutorial with the small network, weights and pictures of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save, values  # noqa: E402


class Features(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, w, 3, padding=1), nn.ReLU(), nn.Conv2d(w, w, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
            nn.Conv2d(w, 2 * w, 3, padding=1), nn.ReLU(), nn.Conv2d(2 * w, 2 * w, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
            nn.Conv2d(2 * w, 4 * w, 3, padding=1),
        )

    def forward(self, x):
        answers = []
        x = (x - 0.5) * 4
        for layer in self.main:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                answers.append(x)
        return answers


def gram_matrix(x):
    a, b, c, d = x.size()
    features = x.view(a * b, c * d)
    return torch.mm(features, features.t()).div(a * b * c * d)


def share(x, want):
    return F.mse_loss(x, want) / want.square().mean()


features = Features(8)
fill(features)
features.requires_grad_(False)
content_img, style_img = values("content", 0.5, 1, 3, 24, 24) + 0.5, values("style", 0.5, 1, 3, 24, 24) + 0.5
content_target = features(content_img)[3]
style_targets = [gram_matrix(a) for a in features(style_img)]
x = content_img.clone().requires_grad_()
opt = torch.optim.Adam([x], lr=0.02)
style_losses, content_losses = [], []
for _ in range(10):
    opt.zero_grad()
    answers = features(x)
    style = sum(share(gram_matrix(a), g) for a, g in zip(answers, style_targets))
    content = share(answers[3], content_target)
    (100 * style + content).backward()
    opt.step()
    with torch.no_grad():
        x.clamp_(0, 1)
    style_losses.append(style.item())
    content_losses.append(content.item())
save(__file__, style=style_losses, content=content_losses)
