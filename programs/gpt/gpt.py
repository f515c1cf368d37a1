"""A small GPT in PyTorch with the weights and data of the test: writes torch.json."""

import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save  # noqa: E402


class CausalSelfAttention(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(size, 3 * size)
        self.c_proj = nn.Linear(size, size)

    def forward(self, x):
        n, t, size = x.shape
        q, k, v = (y.view(n, t, self.heads, size // self.heads).transpose(1, 2) for y in self.c_attn(x).split(size, dim=2))
        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        att = att.masked_fill(torch.tril(torch.ones(t, t)) == 0, float("-inf"))
        y = F.softmax(att, dim=-1) @ v
        return self.c_proj(y.transpose(1, 2).contiguous().view(n, t, size))


class Block(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(size)
        self.attn = CausalSelfAttention(size, heads)
        self.ln_2 = nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, letters, length, size, heads, blocks):
        super().__init__()
        self.wte = nn.Embedding(letters, size)
        self.wpe = nn.Embedding(length, size)
        self.h = nn.ModuleList([Block(size, heads) for _ in range(blocks)])
        self.ln_f = nn.LayerNorm(size)
        self.lm_head = nn.Linear(size, letters, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, text):
        x = self.wte(text) + self.wpe(torch.arange(text.shape[1]))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


gpt = GPT(17, 8, 24, 4, 2)
fill(gpt)
opt = torch.optim.AdamW(gpt.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
losses = []
for i in range(10):
    text = labels(f"text{i}", 17, 3 * 9).reshape(3, 9)
    scores = gpt(text[:, :-1])
    loss = F.cross_entropy(scores.view(-1, scores.size(-1)), text[:, 1:].reshape(-1))
    opt.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(gpt.parameters(), 1.0)
    opt.step()
    losses.append(loss.item())
save(__file__, losses=losses)
