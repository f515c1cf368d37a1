"""Reference data for dl's optimizers, clipping, schedulers and metrics, made by PyTorch and scikit-learn:
python optim.py > optim.json

The network is small, so that 100 steps of every optimizer stay a small file. Inputs come from fill.
"""
import json
import warnings
import sklearn
import sklearn.metrics as sm
import torch
from torch import nn
from torch.optim import lr_scheduler as lrs
import torch.nn.functional as F
from common import fill

warnings.filterwarnings("ignore")
out = {"torch": torch.__version__, "sklearn": sklearn.__version__, "optimizers": {}, "schedulers": {}, "momenta": {}}


def network():
    net = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(fill(p.shape, 20 + i, 0.5))
    return net


def numbers(t):
    return [float(f"{v:.9g}") for v in t.detach().flatten().tolist()]


def train(make, clip=None, schedule=None):
    net = network()
    opt = make(net)
    sched = schedule(opt) if schedule else None
    got = {"losses": [], "norms": [], "total": []}
    for step in range(100):
        x, y = fill([8, 6], 40 + step % 7), (torch.arange(8) * 3 + step) % 3
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        if clip:
            if step < 3:
                got["norms"].append([p.grad.norm().item() for p in net.parameters()])
            got["total"].append(clip(net))
        opt.step()
        if sched:
            sched.step()
        got["losses"].append(float(f"{loss.item():.9g}"))
    got["params"] = {n: numbers(p) for n, p in net.named_parameters()}
    if not clip:
        del got["norms"], got["total"]
    return got


O = torch.optim
for name, make in {
    "sgd": lambda n: O.SGD(n.parameters(), lr=0.1),
    "momentum": lambda n: O.SGD(n.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01),
    "dampening": lambda n: O.SGD(n.parameters(), lr=0.1, momentum=0.9, dampening=0.4),
    "nesterov": lambda n: O.SGD(n.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda n: O.Adam(n.parameters(), lr=0.01),
    "adam decay": lambda n: O.Adam(n.parameters(), lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    "amsgrad": lambda n: O.Adam(n.parameters(), lr=0.01, amsgrad=True, betas=(0.9, 0.9)),
    "adamw": lambda n: O.AdamW(n.parameters()),
    "adamw amsgrad": lambda n: O.AdamW(n.parameters(), lr=0.01, weight_decay=0.3, amsgrad=True),
    "rmsprop": lambda n: O.RMSprop(n.parameters()),
    "rmsprop centered": lambda n: O.RMSprop(n.parameters(), lr=0.003, alpha=0.9, centered=True, momentum=0.8, weight_decay=0.01),
    "rmsprop momentum": lambda n: O.RMSprop(n.parameters(), lr=0.003, momentum=0.5),
    "adagrad": lambda n: O.Adagrad(n.parameters(), lr=0.1),
    "adagrad decay": lambda n: O.Adagrad(n.parameters(), lr=0.1, lr_decay=0.02, weight_decay=0.01, initial_accumulator_value=0.1),
    "adadelta": lambda n: O.Adadelta(n.parameters()),
    "adadelta decay": lambda n: O.Adadelta(n.parameters(), lr=0.5, rho=0.8, eps=1e-5, weight_decay=0.01),
    "groups": lambda n: O.SGD([{"params": n[2].parameters(), "lr": 0.2}, {"params": [n[0].weight], "momentum": 0.9, "lr": 0.05}], lr=0.1),
}.items():
    out["optimizers"][name] = train(make)
sgd = lambda n: O.SGD(n.parameters(), lr=0.5)
out["optimizers"]["clip norm"] = train(sgd, lambda n: nn.utils.clip_grad_norm_(n.parameters(), 0.1).item())
out["optimizers"]["clip value"] = train(sgd, lambda n: nn.utils.clip_grad_value_(n.parameters(), 0.02))
cycle = lambda o: lrs.OneCycleLR(o, 0.3, total_steps=101)
out["optimizers"]["cycled sgd"] = train(lambda n: O.SGD(n.parameters(), lr=0.1), None, cycle)
out["optimizers"]["cycled nesterov"] = train(lambda n: O.SGD(n.parameters(), lr=0.1, momentum=0.9, nesterov=True), None, cycle)
out["optimizers"]["cycled rmsprop"] = train(lambda n: O.RMSprop(n.parameters()), None, lambda o: lrs.OneCycleLR(o, 0.003, total_steps=101, three_phase=True, base_momentum=0.6, max_momentum=0.9))
out["optimizers"]["cycled adamw"] = train(lambda n: O.AdamW(n.parameters()), None, lambda o: lrs.OneCycleLR(o, 0.02, total_steps=101, anneal_strategy="linear"))
out["optimizers"]["scheduled"] = train(lambda n: O.SGD(n.parameters(), lr=0.5), None, lambda o: lrs.StepLR(o, 10, 0.5))

metrics = [1 - 0.7 * min(n, 30) / 30 + 0.01 * ((n * 37) % 11) / 11 for n in range(100)]
for name, make in {
    "step": lambda o: lrs.StepLR(o, 7, 0.5),
    "multistep": lambda o: lrs.MultiStepLR(o, [10, 30, 31, 80], 0.3),
    "exponential": lambda o: lrs.ExponentialLR(o, 0.97),
    "cosine": lambda o: lrs.CosineAnnealingLR(o, 40, 0.01),
    "onecycle": lambda o: lrs.OneCycleLR(o, 0.8, total_steps=101),
    "onecycle linear": lambda o: lrs.OneCycleLR(o, 0.8, total_steps=101, pct_start=0.2, anneal_strategy="linear", div_factor=10, final_div_factor=100),
    "onecycle three": lambda o: lrs.OneCycleLR(o, 0.8, total_steps=101, three_phase=True),
    "linear": lambda o: lrs.LinearLR(o),
    "warmup": lambda o: lrs.SequentialLR(o, [lrs.LinearLR(o, 0.1, total_iters=10), lrs.CosineAnnealingLR(o, 90)], [10]),
    "three in a row": lambda o: lrs.SequentialLR(o, [lrs.LinearLR(o, 0.5, total_iters=3), lrs.StepLR(o, 4, 0.7), lrs.CosineAnnealingLR(o, 30, 0.001)], [5, 40]),
    "lambda": lambda o: lrs.LambdaLR(o, lambda n: 0.9 ** (n // 3)),
    "plateau": lambda o: lrs.ReduceLROnPlateau(o, patience=3),
    "plateau max": lambda o: lrs.ReduceLROnPlateau(o, mode="max", factor=0.5, patience=2, threshold=0.01, threshold_mode="abs", cooldown=4, min_lr=0.02),
}.items():
    opt = O.SGD([nn.Parameter(torch.zeros(1))], lr=0.4, momentum=0.9)
    sched = make(opt)
    rates = [opt.param_groups[0]["lr"]]
    momenta = [opt.param_groups[0]["momentum"]]
    for n in range(100):
        opt.step()
        sched.step(*([metrics[n]] if name.startswith("plateau") else []))
        rates.append(opt.param_groups[0]["lr"])
        momenta.append(opt.param_groups[0]["momentum"])
    out["schedulers"][name] = rates
    if name.startswith("onecycle"):
        out["momenta"][name] = momenta

scores = fill([50, 7], 3)
labels = (torch.arange(50) ** 2 * 5 + 3) % 6  # class 6 has no examples
scores[torch.arange(50), labels] += 0.8
scores[:, 4] -= 3  # and 4 is never predicted
pred = scores.argmax(1)
out["metrics"] = {
    "top": [sm.top_k_accuracy_score(labels, scores, k=k, labels=range(7)) for k in (1, 2, 3, 5)],
    "confusion": sm.confusion_matrix(labels, pred, labels=range(7)).tolist(),
    **{a: sm.precision_recall_fscore_support(labels, pred, average=a, zero_division=0)[:3] for a in ("macro", "micro", "weighted")}}
print(json.dumps(out, separators=(",", ":")))
