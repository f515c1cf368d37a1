"""pytorch/examples/language_translation with the weights and data of the test: writes torch.json."""

import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save  # noqa: E402

UNKNOWN, PADDING, BEGIN, END = range(4)


class Translator(nn.Module):
    def __init__(self, source, target, size, heads, layers, hidden, longest=5000):
        super().__init__()
        self.source = nn.Embedding(source, size)
        self.target = nn.Embedding(target, size)
        den = torch.exp(-torch.arange(0, size, 2) * math.log(10000) / size)
        pos = torch.arange(0, longest).reshape(longest, 1)
        position = torch.zeros((longest, size))
        position[:, 0::2] = torch.sin(pos * den)
        position[:, 1::2] = torch.cos(pos * den)
        self.register_buffer("position", position.unsqueeze(-2))
        self.dropout = nn.Dropout(0.1)
        self.transformer = nn.Transformer(size, heads, layers, layers, hidden, dropout=0.1)
        self.out = nn.Linear(size, target)

    def embed(self, x):
        return self.dropout(x + self.position[: x.size(0)])

    def forward(self, source, target):
        causal = nn.Transformer.generate_square_subsequent_mask(target.shape[0])
        source_padding, target_padding = (source == PADDING).T, torch.zeros(target.T.shape).masked_fill((target == PADDING).T, float("-inf"))
        return self.out(
            self.transformer(
                self.embed(self.source(source)),
                self.embed(self.target(target)),
                None,
                causal,
                None,
                source_padding,
                target_padding,
                source_padding,
            )
        )


def sentences(name, words, length, n):
    """As in the test."""
    x = labels(name, words - END - 1, length * n).reshape(length, n) + END + 1
    x[0] = BEGIN
    for k in range(n):
        last = length - 1 - k % 3
        x[last, k], x[last + 1 :, k] = END, PADDING
    return x


translator = Translator(20, 23, 16, 4, 1, 32)
fill(translator)
translator.eval()
opt = torch.optim.Adam(translator.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-9)
losses = []
for i in range(10):
    source, target = sentences(f"source{i}", 20, 7, 4), sentences(f"target{i}", 23, 6, 4)
    opt.zero_grad()
    scores = translator(source, target[:-1])
    loss = F.cross_entropy(scores.reshape(-1, scores.shape[-1]), target[1:].reshape(-1), ignore_index=PADDING)
    loss.backward()
    opt.step()
    losses.append(loss.item())
save(__file__, losses=losses)
