"""pytorch/examples/word_language_model with the weights and texts of the test: writes torch.json."""

import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save  # noqa: E402

WORDS, SIZE, LENGTH, TEXTS = 30, 16, 7, 4


class RNNModel(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.encoder = nn.Embedding(WORDS, SIZE)
        self.rnn = getattr(nn, kind)(SIZE, SIZE, 2)
        self.decoder = nn.Linear(SIZE, WORDS)

    def forward(self, text, hidden):
        output, hidden = self.rnn(self.encoder(text), hidden)
        return F.log_softmax(self.decoder(output).view(-1, WORDS), dim=1), hidden


class TransformerModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_emb = nn.Embedding(WORDS, SIZE)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(SIZE, 2, 24, dropout=0), 2, enable_nested_tensor=False)
        self.decoder = nn.Linear(SIZE, WORDS)

    def forward(self, text, hidden):
        n = len(text)
        pe = torch.zeros(n, SIZE)
        angle = torch.arange(n)[:, None] * torch.exp(torch.arange(0, SIZE, 2) * (-math.log(10000.0) / SIZE))
        pe[:, 0::2], pe[:, 1::2] = torch.sin(angle), torch.cos(angle)
        mask = torch.log(torch.tril(torch.ones(n, n)))
        output = self.encoder(self.input_emb(text) * math.sqrt(SIZE) + pe[:, None], mask=mask)
        return F.log_softmax(self.decoder(output), dim=-1).view(-1, WORDS), None


def detached(h):
    return tuple(map(detached, h)) if isinstance(h, tuple) else None if h is None else h.detach()


def losses(net, lr):
    fill(net)
    text = labels("text", WORDS, 71 * TEXTS).view(TEXTS, -1).t()
    hidden, out = None, []
    for i in range(0, 70, LENGTH):
        net.zero_grad()
        y, hidden = net(text[i : i + LENGTH], detached(hidden))
        loss = nn.NLLLoss()(y, text[i + 1 : i + 1 + LENGTH].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.25)
        with torch.no_grad():
            for p in net.parameters():
                p.add_(p.grad, alpha=-lr)
        out.append(loss.item())
    return out


save(__file__, lstm=losses(RNNModel("LSTM"), 5), gru=losses(RNNModel("GRU"), 5), transformer=losses(TransformerModel(), 1))
