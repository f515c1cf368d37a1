"""pytorch/examples/mnist_rnn with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

from torch import nn, optim
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(input_size=28, hidden_size=64, batch_first=True)
        self.batchnorm = nn.BatchNorm1d(num_features=64)
        self.fc1 = nn.Linear(64, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):  # without dropout, whose random numbers are others
        output, _ = self.rnn(x.reshape(-1, 28, 28))
        output = F.relu(self.fc1(self.batchnorm(output[:, -1, :])))
        return F.log_softmax(self.fc2(output), dim=1)


net = Net()
fill(net)
opt = optim.Adadelta(net.parameters(), lr=0.1)
losses = []
for i in range(10):
    opt.zero_grad()
    loss = F.nll_loss(net(values(f"x{i}", 1, 16, 1, 28, 28)), labels(f"y{i}", 10, 16))
    loss.backward()
    opt.step()
    losses.append(loss.item())
save(__file__, losses=losses)
