"""PyTorch's tutorial on sequence to sequence networks with the weights and sequences of the test: writes torch.json.

The decoder's GRU takes one step at a time, so it is a GRUCell here; random teacher forcing is of the tutorial's first version.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save  # noqa: E402

N, LENGTH, FROM, TO, WRITTEN, HIDDEN = 4, 6, 9, 8, 5, 16


class EncoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(FROM, HIDDEN)
        self.gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True)

    def forward(self, x):
        return self.gru(self.embedding(x))


class BahdanauAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.Wa = nn.Linear(HIDDEN, HIDDEN)
        self.Ua = nn.Linear(HIDDEN, HIDDEN)
        self.Va = nn.Linear(HIDDEN, 1)

    def forward(self, query, keys):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
        weights = torch.softmax(scores, dim=-1)
        return torch.bmm(weights, keys), weights


class AttnDecoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TO, HIDDEN)
        self.attention = BahdanauAttention()
        self.gru = nn.GRUCell(2 * HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, TO)

    def forward(self, places, hidden, target):
        last = torch.zeros(N, dtype=torch.long)
        outputs, attentions = [], []
        for i in range(WRITTEN):
            context, weights = self.attention(hidden.unsqueeze(1), places)
            hidden = self.gru(torch.cat((self.embedding(last), context.squeeze(1)), dim=1), hidden)
            outputs.append(self.out(hidden))
            attentions.append(weights)
            last = outputs[-1].argmax(1).detach() if target is None else target[:, i]
        return torch.log_softmax(torch.stack(outputs, 1), dim=-1), torch.cat(attentions, 1)


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = EncoderRNN()
        self.decoder = AttnDecoderRNN()

    def forward(self, x, target=None):
        places, hidden = self.encoder(x)
        return self.decoder(places, hidden[0], target)


net = Seq2Seq()
fill(net)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
x, y = labels("x", FROM, N * LENGTH).view(N, LENGTH), labels("y", TO, N * WRITTEN).view(N, WRITTEN)
losses = []
for fall in [0.1, 0.9, 0.4, 0.6, 0.6, 0.2, 0.3, 0.7, 0.8, 0.1]:
    opt.zero_grad()
    output, _ = net(x, y if fall < 0.5 else None)
    loss = nn.NLLLoss()(output.view(-1, TO), y.view(-1))
    loss.backward()
    opt.step()
    losses.append(loss.item())
with torch.no_grad():
    _, weights = net(x)
save(__file__, losses=losses, weights=weights[1].flatten())
