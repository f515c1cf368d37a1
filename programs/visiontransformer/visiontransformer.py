"""A vision transformer as pytorch/examples/vision_transformer, with the paper's blocks and the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class InputEmbedding(nn.Module):
    def __init__(self, side, patch, size):
        super().__init__()
        self.patch = patch
        self.projection = nn.Linear(3 * patch * patch, size)
        self.class_token = nn.Parameter(torch.empty(1, 1, size))
        self.position = nn.Parameter(torch.empty(1, 1 + (side // patch) ** 2, size))

    def forward(self, x):
        n, p = x.shape[0], self.patch
        patches = x.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 1, 4, 5).contiguous().view(n, -1, 3 * p * p)
        x = torch.cat((self.class_token.expand(n, -1, -1), self.projection(patches)), dim=1)
        return x + self.position


class EncoderBlock(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(size, heads, dropout=0.1, batch_first=True)
        self.norm2 = nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Dropout(0.1), nn.Linear(4 * size, size), nn.Dropout(0.1))

    def forward(self, x):
        h = self.norm1(x)
        h, self.weights = self.attention(h, h, h)
        x = x + h
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, side, patch, size, heads, blocks, classes):
        super().__init__()
        self.embedding = InputEmbedding(side, patch, size)
        self.encoders = nn.ModuleList([EncoderBlock(size, heads) for _ in range(blocks)])
        self.head = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, size), nn.Linear(size, classes))

    def forward(self, x):
        x = self.embedding(x)
        for encoder in self.encoders:
            x = encoder(x)
        return self.head(x[:, 0])


vit = ViT(16, 4, 24, 4, 2, 10)
fill(vit)
vit.eval()
opt = torch.optim.Adam(vit.parameters(), lr=1e-3, weight_decay=0.03)
losses = []
for i in range(10):
    opt.zero_grad()
    loss = F.cross_entropy(vit(values(f"x{i}", 1, 6, 3, 16, 16)), labels(f"labels{i}", 10, 6))
    loss.backward()
    opt.step()
    losses.append(loss.item())
vit(values("x", 1, 1, 3, 16, 16))
save(__file__, losses=losses, attention=vit.encoders[-1].weights[0, 0, 1:].detach())
