"""Reference data for a network with two outputs and a loss of each, made by PyTorch: python heads.py > heads.json

"together" takes an Adam step with the gradients of four batches, clipped to length 1. "in turn" has SGD with momentum for the
body and Adam for the heads, which take steps in turn.
"""
import json
import torch
from torch import nn
import torch.nn.functional as F
from common import fill, brief


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.classes, self.box = nn.Linear(10, 32), nn.Linear(32, 5), nn.Linear(32, 4)
        with torch.no_grad():
            for i, p in enumerate(self.parameters()):
                p.copy_(fill(p.shape, 20 + i, 0.3))

    def forward(self, x):
        h = F.relu(self.body(x))
        return self.classes(h), self.box(h)


def losses(net, i):
    scores, box = net(fill([8, 10], 40 + i))
    label = (torch.arange(8) * 3 + i) % 5
    return F.cross_entropy(scores, label), F.smooth_l1_loss(box, fill([8, 4], 60 + i, 2.0), reduction="sum") / 8


def result(net, **numbers):
    return {**numbers, "params": {n: brief(p) for n, p in net.named_parameters()}}


net = TwoHeads()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
classes, boxes, norms = [], [], []
for i in range(8):
    a, b = losses(net, i)
    ((a + 0.5 * b) / 4).backward()
    classes.append(a.item())
    boxes.append(b.item())
    if i % 4 == 3:
        norms.append(torch.nn.utils.clip_grad_norm_(net.parameters(), 1).item())
        opt.step()
        opt.zero_grad()
together = result(net, classes=classes, boxes=boxes, norms=norms)

net = TwoHeads()
body = torch.optim.SGD(net.body.parameters(), lr=0.1, momentum=0.9)
heads = torch.optim.Adam([*net.classes.parameters(), *net.box.parameters()], lr=0.01)
classes, boxes = [], []
for i in range(8):
    a, b = losses(net, i)
    net.zero_grad()
    (a + 0.5 * b).backward()
    classes.append(a.item())
    boxes.append(b.item())
    (body if i % 2 == 0 else heads).step()
in_turn = result(net, classes=classes, boxes=boxes)
print(json.dumps({"torch": torch.__version__, "together": together, "in turn": in_turn}, separators=(",", ":")))
