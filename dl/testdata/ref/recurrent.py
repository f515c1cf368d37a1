"""Reference data for dl's recurrent layers and cells and for L-BFGS, made by PyTorch: python recurrent.py > recurrent.json

The cases are as in layers.py.
"""
import json
import torch
from torch import nn
import torch.nn.functional as F
from common import fill, brief, Cases

out = {"torch": torch.__version__, "layers": [], "losses": [], "states": [], "lbfgs": []}
case = Cases(out).layer

case("GRU", dict(Hidden=4), nn.GRU(3, 4), [6, 2, 3])
case("GRU", dict(Hidden=4), nn.GRU(3, 4), [1, 2, 3])
case("GRU", dict(Hidden=3, Layers=2, Bidirectional=True, BatchFirst=True), nn.GRU(5, 3, 2, batch_first=True, bidirectional=True), [2, 5, 5])
case("GRU", dict(Hidden=4, NoBias=True, Layers=2, Dropout=0.2), nn.GRU(3, 4, 2, bias=False, dropout=0.2), [5, 2, 3], False)
case("RNN", dict(Hidden=4), nn.RNN(3, 4), [6, 2, 3])
case("RNN", dict(Hidden=4, Nonlinearity="relu"), nn.RNN(3, 4, nonlinearity="relu"), [6, 2, 3])
case("RNN", dict(Hidden=3, Layers=2, Bidirectional=True, BatchFirst=True), nn.RNN(5, 3, 2, batch_first=True, bidirectional=True), [2, 5, 5])
case("RNN", dict(Hidden=4, NoBias=True, Layers=2, Dropout=0.2), nn.RNN(3, 4, 2, bias=False, dropout=0.2), [5, 2, 3], False)


def states(kind, settings, module, x, *shapes):
    """An input and states to begin with; the weighted sum of all that comes out goes backwards."""
    given = [fill(s, 1 + i).requires_grad_() for i, s in enumerate([x, *shapes])]
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            p.copy_(fill(p.shape, 20 + i, 0.5))
    s = tuple(given[1:]) if len(shapes) > 1 else given[1]
    y = module(given[0], s)
    flat = []
    for part in y if isinstance(y, tuple) else (y,):
        flat += part if isinstance(part, tuple) else (part,)
    sum((p * fill(p.shape, 9 + i)).sum() for i, p in enumerate(flat)).backward()
    out["states"].append({
        "kind": kind, "settings": settings, "shapes": [x, *shapes], "text": repr(module), "names": [[n, list(p.shape)] for n, p in module.named_parameters()],
        "outputs": [brief(p) for p in flat], "grads": [brief(t.grad) for t in given] + [brief(p.grad) for p in module.parameters()]})


states("LSTM", dict(Hidden=4, Layers=2), nn.LSTM(3, 4, 2), [5, 2, 3], [2, 2, 4], [2, 2, 4])
states("GRU", dict(Hidden=4, Layers=2, Bidirectional=True), nn.GRU(3, 4, 2, bidirectional=True), [5, 2, 3], [4, 2, 4])
states("RNN", dict(Hidden=4, BatchFirst=True), nn.RNN(3, 4, batch_first=True), [2, 5, 3], [1, 2, 4])
states("LSTMCell", dict(Hidden=4), nn.LSTMCell(3, 4), [2, 3], [2, 4], [2, 4])
states("LSTMCell", dict(Hidden=4, NoBias=True), nn.LSTMCell(3, 4, bias=False), [2, 3], [2, 4], [2, 4])
states("GRUCell", dict(Hidden=4), nn.GRUCell(3, 4), [2, 3], [2, 4])
states("GRUCell", dict(Hidden=4, NoBias=True), nn.GRUCell(3, 4, bias=False), [2, 3], [2, 4])
states("RNNCell", dict(Hidden=4), nn.RNNCell(3, 4), [2, 3], [2, 4])
states("RNNCell", dict(Hidden=4, NoBias=True, Nonlinearity="relu"), nn.RNNCell(3, 4, bias=False, nonlinearity="relu"), [2, 3], [2, 4])


def lbfgs(settings, steps, **kwargs):
    """L-BFGS on a network with three layers of weights: the loss at each call, and the weights in the end."""
    net = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(fill(p.shape, 20 + i, 0.5))
    x, y = fill([32, 6], 40).double(), fill([32, 3], 41).double()
    opt = torch.optim.LBFGS(net.parameters(), **kwargs)
    losses, first = [], []

    def closure():
        opt.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(steps):
        first.append(opt.step(closure).item())
    out["lbfgs"].append({"settings": settings, "losses": losses, "first": first, "params": [brief(p) for p in net.parameters()]})


lbfgs(dict(), 1)
lbfgs(dict(LR=0.5, MaxIter=3, HistorySize=2), 4, lr=0.5, max_iter=3, history_size=2)
lbfgs(dict(LR=0.8, MaxIter=4, ToleranceChange=6e-3, ToleranceGrad=1e-2), 6, lr=0.8, max_iter=4, tolerance_change=6e-3, tolerance_grad=1e-2)
lbfgs(dict(LineSearchFn="strong_wolfe", MaxIter=6), 2, line_search_fn="strong_wolfe", max_iter=6)
lbfgs(dict(LineSearchFn="strong_wolfe", LR=30, MaxIter=5, MaxEval=9, HistorySize=3), 3, line_search_fn="strong_wolfe", lr=30, max_iter=5, max_eval=9, history_size=3)

print(json.dumps(out, separators=(",", ":")))
