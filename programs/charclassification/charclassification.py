"""PyTorch's tutorial on classifying names with the weights and names of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save  # noqa: E402

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class CharRNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, line):
        _, hidden = self.rnn(line)
        return self.softmax(self.h2o(hidden[0]))


def line(name):
    x = torch.zeros(len(name), 1, len(LETTERS))
    for i, letter in enumerate(name):
        x[i, 0, LETTERS.index(letter)] = 1
    return x


names = [("rossi", 0), ("ivanov", 1), ("yamada", 2), ("conti", 0), ("popov", 1), ("tanaka", 2), ("bruno", 0), ("orlov", 1)]
net = CharRNN(len(LETTERS), 32, 3)
fill(net)
opt = torch.optim.SGD(net.parameters(), lr=0.15)
losses = []
for i in range(10):
    batch = names[i % 2 * 4 : i % 2 * 4 + 4]
    loss = sum(nn.NLLLoss()(net(line(name)), torch.tensor([language])) for name, language in batch) / len(batch)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 3)
    opt.step()
    opt.zero_grad()
    losses.append(loss.item())
save(__file__, losses=losses)
