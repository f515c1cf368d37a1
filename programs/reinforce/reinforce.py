"""reinforce.py of pytorch/examples with the weights, start states and random numbers of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "cartpole")]
from cartpole import CartPole  # noqa: E402
from reference import fill, save, values  # noqa: E402


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 128)
        self.dropout = nn.Dropout(p=0.6)
        self.affine2 = nn.Linear(128, 2)

    def forward(self, x):
        return F.softmax(self.affine2(F.relu(self.dropout(self.affine1(x)))), dim=1)


policy = Policy()
fill(policy)
policy.eval()
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)
losses, lengths = [], []
for i in range(10):
    env = CartPole(*values(f"start{i}", 0.05, 4).tolist())
    random = values(f"random{i}", 0.5, 500).double() + 0.5
    log_probs, rewards, done = [], [], False
    while not done:
        probs = policy(torch.tensor(env.state).float().unsqueeze(0))
        action = int(random[env.steps] >= probs[0, 0].double())
        log_probs.append(probs[:, action].log())
        done = env.step(action)
        rewards.append(1.0)
    total, returns = 0, []
    for r in rewards[::-1]:
        total = r + 0.99 * total
        returns.insert(0, total)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-7)
    opt.zero_grad()
    loss = torch.cat([-p * r for p, r in zip(log_probs, returns)]).sum()
    loss.backward()
    opt.step()
    losses.append(loss.item())
    lengths.append(len(rewards))
save(__file__, losses=losses, lengths=lengths)
