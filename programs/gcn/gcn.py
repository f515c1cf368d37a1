"""pytorch/examples/gcn with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class GraphConv(nn.Module):
    def __init__(self, features, out):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(features, out))

    def forward(self, x, edges):
        return torch.spmm(edges, torch.mm(x, self.kernel))


class GCN(nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.gc1 = GraphConv(features, hidden)
        self.gc2 = GraphConv(hidden, classes)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x, edges):
        x = self.dropout(F.relu(self.gc1(x, edges)))
        return F.log_softmax(self.gc2(x, edges), dim=1)


nodes, features = 30, 12
gcn = GCN(features, 16, 3)
fill(gcn)
gcn.eval()
graph = (values("edges", 1, nodes, nodes) > 0.8).float()
edges = torch.maximum(graph, graph.T) + torch.eye(nodes)
scale = torch.diag(edges.sum(1).pow(-0.5))
edges = scale @ edges @ scale
known = torch.tensor([0, 3, 7, 12, 21, 28])
opt = torch.optim.Adam(gcn.parameters(), lr=0.01, weight_decay=5e-4)
losses = []
for _ in range(10):
    opt.zero_grad()
    loss = nn.NLLLoss()(gcn(values("x", 1, nodes, features), edges.to_sparse())[known], labels("labels", 3, 6))
    loss.backward()
    opt.step()
    losses.append(loss.item())
save(__file__, losses=losses, edges=edges.sum(1))
