"""A step of the first 60 episodes of pytorch/examples' REINFORCE on CartPole: milliseconds of processor time, as JSON."""

import json
import os
import random
import resource
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical
from torch.nn import functional as F

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "programs", "cartpole"))
from cartpole import CartPole  # noqa: E402

torch.set_num_threads(1)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 128)
        self.dropout = nn.Dropout(p=0.6)
        self.affine2 = nn.Linear(128, 2)

    def forward(self, x):
        return F.softmax(self.affine2(F.relu(self.dropout(self.affine1(x)))), dim=1)


def episodes(seed):
    torch.manual_seed(seed)
    random.seed(seed)
    policy = Policy()
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    eps, steps = np.finfo(np.float32).eps.item(), 0
    for _ in range(60):
        env = CartPole(*[random.uniform(-0.05, 0.05) for _ in range(4)])
        saved, rewards, done = [], [], False
        while not done:
            probs = policy(torch.from_numpy(np.array(env.state)).float().unsqueeze(0))
            m = Categorical(probs)
            action = m.sample()
            saved.append(m.log_prob(action))
            done = env.step(action.item())
            rewards.append(1.0)
        total, returns = 0, []
        for r in rewards[::-1]:
            total = r + 0.99 * total
            returns.insert(0, total)
        returns = torch.tensor(returns)
        returns = (returns - returns.mean()) / (returns.std() + eps)
        optimizer.zero_grad()
        torch.cat([-p * r for p, r in zip(saved, returns)]).sum().backward()
        optimizer.step()
        steps += len(rewards)
    return steps


episodes(0)
ms = []
for seed in range(int(sys.argv[1])):
    began = time.process_time()
    steps = episodes(seed)
    ms.append(1000 * (time.process_time() - began) / steps)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ms": ms, "peak": peak, "version": torch.__version__}))
