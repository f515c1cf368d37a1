"""What the scripts of this folder share: numbers that the tests repeat, and how results are shortened."""
import torch

torch.set_num_threads(1)


def fill(shape, seed, bound=1.0):
    """Numbers between -bound and bound, exact in both languages up to the last rounding."""
    n = 1
    for s in shape:
        n *= s
    i = torch.arange(n, dtype=torch.int64)
    v = ((i * 7919 + seed * 104729 + (i * i) % 613) % 2003).double() / 1001.5 - 1
    return (v * bound).float().reshape(tuple(shape))


def brief(t):
    """The whole tensor where it is small, else its sum, its sum of absolute values and 32 of its values."""
    v = t.detach().double().flatten()
    if v.numel() > 64:
        step = v.numel() // 32
        v = torch.cat([v.sum()[None], v.abs().sum()[None], v[::step][:32]])
    return [float(f"{float(x):.9g}") for x in v]


class Cases:
    """The layers and losses of a file, by their results in PyTorch."""

    def __init__(self, out):
        self.out = out

    def layer(self, kind, settings, module, shape, train=True, round=0, ints=0):
        if ints:
            x = (fill(shape, 1).abs() * 1e4).long() % ints
        else:
            x = fill(shape, 1)
            if round:
                x = (x * round).round()  # ties, and zeros
            x.requires_grad_()
        with torch.no_grad():
            state = module.state_dict()
            for i, (name, p) in enumerate(state.items()):
                if p.dtype == torch.int64:
                    p.fill_(3)
                elif name.endswith("running_var"):
                    p.copy_(fill(p.shape, 20 + i).abs() + 0.5)
                else:
                    p.copy_(fill(p.shape, 20 + i, 0.5))
        module.train(train)
        y = module(x)
        y = y[0] if isinstance(y, tuple) else y
        (y * fill(y.shape, 9)).sum().backward()
        self.out["layers"].append({
            "kind": kind, "settings": settings, "input": list(shape), "train": train, "round": round, "ints": ints, "text": repr(module),
            "shape": list(y.shape), "output": brief(y), "grad": None if ints else brief(x.grad),
            "names": [[name, list(p.shape)] for name, p in state.items()],
            "grads": {name: brief(p.grad) for name, p in module.named_parameters()},
            "buffers": {name: brief(p) for name, p in module.named_buffers()},
        })

    def loss(self, kind, settings, f, shape, target):
        """Target is a list of class numbers in shape, or the seed of a fill, of which prepare makes what the loss wants."""
        x = fill(shape, 1, 2.0)
        if kind in ("NLLLoss", "KLDivLoss"):
            x = x.log_softmax(1)
        if kind == "BCELoss":
            x = x.sigmoid()
        x = x.detach().requires_grad_()
        y = target["tensor"]
        value = f(x, y)
        (value * fill(value.shape, 9) if value.dim() else value).sum().backward()
        self.out["losses"].append({"kind": kind, "settings": settings, "input": list(shape), "target": {k: v for k, v in target.items() if k != "tensor"},
                              "shape": list(value.shape), "value": brief(value), "grad": brief(x.grad)})

    @staticmethod
    def shares(shape, how):
        x = fill(shape, 5, 2.0)
        if how == "softmax":
            x = x.softmax(1)
        if how == "logsoftmax":
            x = x.log_softmax(1)
        if how == "zeros":  # probabilities, some of them 0
            x = x.softmax(1)
            x = torch.where(x > 0.2, x, torch.zeros(()))
        if how == "unit":
            x = x.abs() / 2
        return {"how": how, "shape": list(shape), "tensor": x}
