"""pytorch/examples/gat with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class GraphAttentionLayer(nn.Module):
    def __init__(self, features, out, heads, concat):
        super().__init__()
        self.heads, self.concat = heads, concat
        self.hidden = out // heads if concat else out
        self.W = nn.Parameter(torch.empty(features, heads * self.hidden))
        self.a = nn.Parameter(torch.empty(heads, 2 * self.hidden, 1))

    def forward(self, x, edges):
        n = x.shape[0]
        h = F.dropout(torch.mm(x, self.W), 0.6, training=self.training)
        h = h.view(n, self.heads, self.hidden).permute(1, 0, 2)
        source = torch.matmul(h, self.a[:, : self.hidden, :])
        target = torch.matmul(h, self.a[:, self.hidden :, :])
        e = F.leaky_relu(source + target.mT, 0.2)
        e = torch.where(edges, e, -9e15 * torch.ones_like(e))
        attention = F.dropout(F.softmax(e, dim=-1), 0.6, training=self.training)
        h = torch.matmul(attention, h)
        return h.permute(1, 0, 2).contiguous().view(n, -1) if self.concat else h.mean(dim=0)


class GAT(nn.Module):
    def __init__(self, features, hidden, heads, classes, concat):
        super().__init__()
        self.gat1 = GraphAttentionLayer(features, hidden, heads, concat)
        self.gat2 = GraphAttentionLayer(hidden, classes, 1, False)

    def forward(self, x, edges):
        return F.log_softmax(self.gat2(F.elu(self.gat1(x, edges)), edges), dim=1)


nodes, features = 30, 12
edges = values("edges", 1, nodes, nodes) + torch.eye(nodes) > 0.8
known = torch.tensor([0, 3, 7, 12, 21, 28])
lists = {}
for name, concat in {"averaged": False, "joined": True}.items():
    gat = GAT(features, 16, 4, 3, concat)
    fill(gat, str.lower)
    gat.eval()
    opt = torch.optim.Adam(gat.parameters(), lr=0.005, weight_decay=5e-4)
    lists[name] = []
    for _ in range(10):
        opt.zero_grad()
        loss = nn.NLLLoss()(gat(values("x", 1, nodes, features), edges)[known], labels("labels", 3, 6))
        loss.backward()
        opt.step()
        lists[name].append(loss.item())
save(__file__, **lists)
