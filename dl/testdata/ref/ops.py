"""Reference data for operations on tensors, made by PyTorch: python ops.py > ops.json

For each name: what the operation makes of x [3 4] and y [3 4], from fill, and the gradients of the sum of that times
numbers of fill, for x and y. Operations without a gradient have none.
"""
import json
import torch
import torch.nn.functional as F
from common import fill, brief

x, y = fill([3, 4], 1, 2.0), fill([3, 4], 2, 2.0)
z = torch.tensor([[1.0, 0.0, -2.0, 3.0], [0.0, 0.0, 5.0, 1.5], [2.0, 2.0, -0.5, 2.5]])
index = torch.tensor([[3, 0], [1, 1], [2, 0]])
cube = fill([2, 3, 4], 3, 2.0)

ops = {
    "zeros_like": lambda x, y: torch.zeros_like(x) + x,
    "eye": lambda x, y: torch.eye(3) @ x,
    "linspace": lambda x, y: torch.linspace(-1, 3, 4) * x,
    "not_equal": lambda x, y: (torch.round(x) != torch.round(y)).float() * x,
    "greater_equal": lambda x, y: (x >= y).float() * x,
    "less_equal": lambda x, y: (x <= y).float() * x,
    "logical_and": lambda x, y: ((x > 0) & (y > 0)).float() * x,
    "logical_or": lambda x, y: ((x > 0) | (y > 0)).float() * x,
    "logical_not": lambda x, y: (~(x > 0)).float() * x,
    "any": lambda x, y: (x > 1.5).any(1).float() * x[:, 0],
    "all": lambda x, y: (x > -1.5).all(0).float() * x,
    "masked_fill": lambda x, y: x.masked_fill(y > 0, -3.5),
    "flip": lambda x, y: x.flip(0, 1),
    "roll": lambda x, y: x.roll(3, 1) + y.roll(-1, 0),
    "split": lambda x, y: torch.cat([p * (i + 1) for i, p in enumerate(x.split(3, 1))], 1),
    "chunk": lambda x, y: torch.cat([p * (i + 1) for i, p in enumerate(x.chunk(2, 0))], 0),
    "repeat": lambda x, y: x.repeat(2, 3, 2),
    "tril": lambda x, y: x.tril(1),
    "triu": lambda x, y: x.triu(-1),
    "diag": lambda x, y: x.diag().diag() * 2,
    "gather": lambda x, y: x.gather(1, index),
    "scatter_add": lambda x, y: x.scatter_add(1, index, y[:, :2]),
    "argmin": lambda x, y: x.argmin(1).float()[:, None] * x,
    "topk": lambda x, y: x.topk(2, 1)[0] * x.topk(2, 1)[1],
    "sort": lambda x, y: x.sort(1)[0] * x.sort(1)[1],
    "argsort": lambda x, y: x.argsort(0).float() * x,
    "cumsum": lambda x, y: x.cumsum(1),
    "prod": lambda x, y: x.prod(1),
    "prod with zeros": lambda x, y: (x * 0 + z).prod(1) + (x - x.detach() + z).prod(1),
    "prod of all": lambda x, y: x.prod(),
    "ceil": lambda x, y: x.ceil() + x,
    "round": lambda x, y: (x.round() + torch.round(x * 0 + 2.5)) + x,
    "tan": lambda x, y: x.tan(),
    "erf": lambda x, y: x.erf(),
    "log1p": lambda x, y: (x.abs() * 1e-3).log1p(),
    "expm1": lambda x, y: (x * 1e-4).expm1() + x.expm1(),
    "rsqrt": lambda x, y: (x.abs() + 1).rsqrt(),
    "outer": lambda x, y: x[0].outer(y[1]),
    "dot": lambda x, y: x[0].dot(y[1]),
    "normalize": lambda x, y: F.normalize(x, dim=1) + F.normalize(x * 0, dim=1),
    "cosine_similarity": lambda x, y: F.cosine_similarity(x, y, dim=1),
    "einsum matmul": lambda x, y: torch.einsum("ij,kj->ik", x, y),
    "einsum batch": lambda x, y: torch.einsum("bij,jk->kbi", cube * 1, torch.einsum("ij,kj->jk", x, y)[:, :3]),
    "einsum sum": lambda x, y: torch.einsum("ij,ik->j", x, y),
    "einsum implicit": lambda x, y: torch.einsum("ij,jk", x, y.T),
    "einsum diagonal": lambda x, y: torch.einsum("ii,ik->i", x[:, :3], y),
    "einsum three": lambda x, y: torch.einsum("ij,kj,kl->il", x, y, x),
    "einsum product": lambda x, y: torch.einsum("ij,ij->ij", x, y),
}

out = {"torch": torch.__version__}
for name, op in ops.items():
    a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
    r = op(a, b)
    (r * fill(list(r.shape), 7)).sum().backward()
    grads = [torch.zeros(3, 4) if p.grad is None else p.grad for p in (a, b)]
    out[name] = [list(r.shape), brief(r), brief(grads[0]), brief(grads[1])]
print(json.dumps(out, indent=None, separators=(",", ":")))
