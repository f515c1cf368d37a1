"""actor_critic.py of pytorch/examples with the weights, start states and random numbers of the test: writes torch.json."""

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
        self.action_head = nn.Linear(128, 2)
        self.value_head = nn.Linear(128, 1)

    def forward(self, x):
        x = F.relu(self.affine1(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


policy = Policy()
fill(policy)
opt = torch.optim.Adam(policy.parameters(), lr=3e-2)
losses, lengths = [], []
for i in range(10):
    env = CartPole(*values(f"start{i}", 0.05, 4).tolist())
    random = values(f"random{i}", 0.5, 500).double() + 0.5
    saved, rewards, done = [], [], False
    while not done:
        probs, value = policy(torch.tensor(env.state).float())
        action = int(random[env.steps] >= probs[0].double())
        saved.append((probs[action].log(), value))
        done = env.step(action)
        rewards.append(1.0)
    total, returns = 0, []
    for r in rewards[::-1]:
        total = r + 0.99 * total
        returns.insert(0, total)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-7)
    policy_losses, value_losses = [], []
    for (log_prob, value), r in zip(saved, returns):
        policy_losses.append(-log_prob * (r - value.item()))
        value_losses.append(F.smooth_l1_loss(value, torch.tensor([r])))
    opt.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    opt.step()
    losses.append(loss.item())
    lengths.append(len(rewards))
save(__file__, losses=losses, lengths=lengths)
