"""PyTorch's tutorial on DQN with the weights and transitions of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class DQN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(4, 128)
        self.layer2 = nn.Linear(128, 128)
        self.layer3 = nn.Linear(128, 2)

    def forward(self, x):
        return self.layer3(F.relu(self.layer2(F.relu(self.layer1(x)))))


policy, target = DQN(), DQN()
fill(policy)
fill(target)
opt = torch.optim.AdamW(policy.parameters(), lr=3e-3, amsgrad=True)
losses = []
for i in range(10):
    states, following = values(f"state{i}", 1, 32, 4), values(f"next{i}", 1, 32, 4)
    actions = labels(f"action{i}", 2, 32).unsqueeze(1)
    alive = torch.arange(32) % 5 != 0
    worth = policy(states).gather(1, actions)
    after = torch.zeros(32)
    with torch.no_grad():
        after[alive] = target(following[alive]).max(1).values
    loss = nn.SmoothL1Loss()(worth, (after * 0.99 + torch.ones(32)).unsqueeze(1))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(policy.parameters(), 100)
    opt.step()
    state = target.state_dict()
    for name, p in policy.state_dict().items():
        state[name] = p * 0.005 + state[name] * 0.995
    target.load_state_dict(state)
    losses.append(loss.item())
save(__file__, losses=losses, target=target.layer2.bias[:8].tolist())
