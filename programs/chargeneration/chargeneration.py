"""PyTorch's tutorial on generating names with the weights and names of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, save  # noqa: E402

LETTERS = "abcdefghijklmnopqrstuvwxyz"
END = len(LETTERS)


class RNN(nn.Module):
    def __init__(self, languages, letters, hidden):
        super().__init__()
        self.i2h = nn.Linear(languages + letters + hidden, hidden)
        self.i2o = nn.Linear(languages + letters + hidden, letters)
        self.o2o = nn.Linear(hidden + letters, letters)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, language, letter, hidden):  # without dropout, whose random numbers are others
        combined = torch.cat((language, letter, hidden), 1)
        hidden, output = self.i2h(combined), self.i2o(combined)
        return self.softmax(self.o2o(torch.cat((hidden, output), 1))), hidden


def one_hot(i, n):
    return nn.functional.one_hot(torch.tensor([i]), n).float()


net = RNN(3, END + 1, 32)
fill(net)
losses = []
for i, name in enumerate(["rossi", "ivanov", "yamada", "conti", "popov", "tanaka", "bruno", "orlov", "abe", "marino"]):
    numbers = [LETTERS.index(c) for c in name] + [END]
    hidden, loss = torch.zeros(1, 32), torch.zeros(())
    net.zero_grad()
    for letter, following in zip(numbers, numbers[1:]):
        output, hidden = net(one_hot(i % 3, 3), one_hot(letter, END + 1), hidden)
        loss = loss + nn.NLLLoss()(output, torch.tensor([following]))
    loss.backward()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(p.grad, alpha=-0.02)
    losses.append(loss.item() / len(name))

written, hidden = "m", torch.zeros(1, 32)
with torch.no_grad():
    while len(written) < 6:
        output, hidden = net(one_hot(0, 3), one_hot(LETTERS.index(written[-1]), END + 1), hidden)
        written += LETTERS[output[0, :END].argmax()]
save(__file__, losses=losses, letters=[ord(c) for c in written])
