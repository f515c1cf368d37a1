"""Reference data for dl's layers and losses, made by PyTorch: python layers.py > layers.json

A case is a layer of dl with its settings, by dl's names, and the same layer of PyTorch. Inputs and weights come from
fill, so that only results are stored: the output, the gradients of Σ output·fill(9) for the input and the
parameters, and the buffers afterwards.
"""
import json
import torch
from torch import nn
import torch.nn.functional as F
from common import fill, brief, Cases

out = {"torch": torch.__version__, "layers": [], "losses": [], "attention": [], "lstm": {}}
cases = Cases(out)
case, loss, shares = cases.layer, cases.loss, cases.shares


def conv(settings, shape, *args, **kwargs):
    case("Conv2d", settings, nn.Conv2d(*args, **kwargs), shape)


conv(dict(Out=4, Kernel=3), [2, 3, 7, 6], 3, 4, 3)
conv(dict(Out=4, KernelHW=[3, 5], StrideHW=[2, 1], PaddingHW=[1, 2]), [2, 3, 9, 8], 3, 4, (3, 5), (2, 1), (1, 2))
conv(dict(Out=4, KernelHW=[2, 3], StrideHW=[1, 2], PaddingHW=[2, 0], DilationHW=[3, 2], Groups=2), [2, 2, 9, 11], 2, 4, (2, 3), (1, 2), (2, 0), (3, 2), 2)
conv(dict(Out=6, Kernel=3, Padding=1, Groups=3, NoBias=True), [2, 3, 5, 5], 3, 6, 3, 1, 1, 1, 3, False)
conv(dict(Out=3, Kernel=3, Stride=2, Dilation=2, Padding=2), [2, 2, 10, 9], 2, 3, 3, 2, 2, 2)
conv(dict(Out=5, Kernel=1, Stride=2), [2, 3, 7, 8], 3, 5, 1, 2)
conv(dict(Out=3, KernelHW=[4, 3], Same=True), [2, 2, 6, 5], 2, 3, (4, 3), padding="same")
conv(dict(Out=3, KernelHW=[2, 3], DilationHW=[3, 2], Same=True), [2, 2, 6, 7], 2, 3, (2, 3), padding="same", dilation=(3, 2))

# Filters larger than the picture.
conv(dict(Out=4, Kernel=3, Padding=1), [2, 3, 2, 2], 3, 4, 3, 1, 1)
conv(dict(Out=4, Kernel=5, Stride=2, Padding=3), [2, 3, 3, 4], 3, 4, 5, 2, 3)
conv(dict(Out=6, KernelHW=[3, 2], Padding=2, DilationHW=[2, 1], Groups=3, NoBias=True), [2, 3, 2, 3], 3, 6, (3, 2), 1, 2, (2, 1), 3, False)


def transposed(settings, shape, *args, **kwargs):
    case("ConvTranspose2d", settings, nn.ConvTranspose2d(*args, **kwargs), shape)


transposed(dict(Out=4, Kernel=3), [2, 3, 4, 5], 3, 4, 3)
transposed(dict(Out=4, Kernel=2, Stride=2), [2, 3, 4, 5], 3, 4, 2, 2)
transposed(dict(Out=4, Kernel=3, Stride=2, Padding=1, OutputPadding=1), [2, 3, 4, 5], 3, 4, 3, 2, 1, 1)
transposed(dict(Out=6, Kernel=3, Stride=3, Groups=2, NoBias=True), [2, 4, 3, 3], 4, 6, 3, 3, groups=2, bias=False)
transposed(dict(Out=2, KernelHW=[3, 2], StrideHW=[1, 2], PaddingHW=[1, 0], OutputPaddingHW=[0, 1], DilationHW=[2, 1]), [2, 3, 4, 5],
           3, 2, (3, 2), (1, 2), (1, 0), (0, 1), dilation=(2, 1))

transposed(dict(Out=4, Kernel=5, Stride=2, Padding=1), [2, 3, 2, 1], 3, 4, 5, 2, 1)

case("Linear", dict(Out=4), nn.Linear(5, 4), [3, 2, 5])
case("Linear", dict(Out=4, NoBias=True), nn.Linear(5, 4, bias=False), [3, 5])

case("MaxPool2d", dict(Kernel=2), nn.MaxPool2d(2), [2, 3, 7, 6])
case("MaxPool2d", dict(Kernel=3, Stride=2, Padding=1), nn.MaxPool2d(3, 2, 1), [2, 3, 9, 8], round=2)
case("MaxPool2d", dict(Kernel=2, Stride=1, Dilation=2), nn.MaxPool2d(2, 1, 0, 2), [2, 3, 6, 7], round=3)
case("MaxPool2d", dict(Kernel=3, Stride=2, Ceil=True), nn.MaxPool2d(3, 2, ceil_mode=True), [2, 3, 8, 6])
case("MaxPool2d", dict(Kernel=2, Ceil=True), nn.MaxPool2d(2, ceil_mode=True), [2, 3, 7, 5], round=2)
case("MaxPool2d", dict(Kernel=2, Stride=2, Padding=1, Ceil=True), nn.MaxPool2d(2, 2, 1, ceil_mode=True), [2, 2, 5, 6])
case("MaxPool2d", dict(KernelHW=[2, 3], StrideHW=[2, 3]), nn.MaxPool2d((2, 3)), [2, 3, 7, 7])
case("MaxPool2d", dict(KernelHW=[3, 2], StrideHW=[1, 2], PaddingHW=[1, 0], DilationHW=[2, 1]), nn.MaxPool2d((3, 2), (1, 2), (1, 0), (2, 1)), [2, 3, 7, 7])

case("AvgPool2d", dict(Kernel=2), nn.AvgPool2d(2), [2, 3, 7, 6])
case("AvgPool2d", dict(Kernel=3, Stride=2, Padding=1), nn.AvgPool2d(3, 2, 1), [2, 3, 9, 8])
case("AvgPool2d", dict(Kernel=3, Stride=2, Padding=1, NoPad=True), nn.AvgPool2d(3, 2, 1, count_include_pad=False), [2, 3, 9, 8])
case("AvgPool2d", dict(Kernel=3, Stride=2, Padding=1, Ceil=True), nn.AvgPool2d(3, 2, 1, ceil_mode=True), [2, 3, 8, 6])
case("AvgPool2d", dict(Kernel=3, Stride=2, Padding=1, Ceil=True, NoPad=True), nn.AvgPool2d(3, 2, 1, True, False), [2, 3, 8, 6])
case("AvgPool2d", dict(KernelHW=[2, 3], StrideHW=[1, 2], PaddingHW=[1, 0], Divisor=5), nn.AvgPool2d((2, 3), (1, 2), (1, 0), divisor_override=5), [2, 3, 5, 7])

case("AdaptiveAvgPool2d", dict(Out=1), nn.AdaptiveAvgPool2d(1), [2, 3, 7, 5])
case("AdaptiveAvgPool2d", dict(Out=3), nn.AdaptiveAvgPool2d(3), [2, 3, 7, 5])
case("AdaptiveAvgPool2d", dict(OutHW=[2, 5]), nn.AdaptiveAvgPool2d((2, 5)), [2, 3, 6, 3])

for train in True, False:
    case("BatchNorm2d", dict(), nn.BatchNorm2d(3), [4, 3, 5, 4], train)
    case("BatchNorm1d", dict(), nn.BatchNorm1d(5), [6, 5], train)
    case("BatchNorm1d", dict(), nn.BatchNorm1d(3), [4, 3, 5], train)
    case("BatchNorm2d", dict(NoRunning=True), nn.BatchNorm2d(3, track_running_stats=False), [4, 3, 5, 4], train)
case("BatchNorm2d", dict(Epsilon=1e-3, Momentum=0.3), nn.BatchNorm2d(3, 1e-3, 0.3), [4, 3, 5, 4])
case("BatchNorm2d", dict(NoAffine=True), nn.BatchNorm2d(3, affine=False), [4, 3, 5, 4])
case("BatchNorm2d", dict(NoBias=True), nn.BatchNorm2d(3, bias=False), [4, 3, 5, 4])
case("BatchNorm2d", dict(Cumulative=True), nn.BatchNorm2d(3, momentum=None), [4, 3, 5, 4])

case("LayerNorm", dict(), nn.LayerNorm(6), [3, 4, 6])
case("LayerNorm", dict(Shape=[4, 6], Epsilon=0.01), nn.LayerNorm((4, 6), 0.01), [3, 4, 6])
case("LayerNorm", dict(NoAffine=True), nn.LayerNorm(6, elementwise_affine=False), [3, 6])
case("LayerNorm", dict(NoBias=True), nn.LayerNorm(6, bias=False), [3, 6])

case("Dropout", dict(P=0.3), nn.Dropout(0.3), [3, 6], False)
case("Embedding", dict(In=7, Out=3), nn.Embedding(7, 3), [4, 5], ints=7)
case("Embedding", dict(In=7, Out=3, PaddingIdx=0), nn.Embedding(7, 3, 0), [4, 5], ints=7)

case("LSTM", dict(Hidden=4), nn.LSTM(3, 4), [6, 2, 3])
case("LSTM", dict(Hidden=4), nn.LSTM(3, 4), [1, 2, 3])
case("LSTM", dict(Hidden=3, Layers=2, Bidirectional=True, BatchFirst=True), nn.LSTM(5, 3, 2, batch_first=True, bidirectional=True), [2, 5, 5])
case("LSTM", dict(Hidden=4, NoBias=True, Layers=2, Dropout=0.2), nn.LSTM(3, 4, 2, bias=False, dropout=0.2), [5, 2, 3], False)

for kind, settings, module in [
    ("ReLU", dict(), nn.ReLU()), ("LeakyReLU", dict(), nn.LeakyReLU()), ("LeakyReLU", dict(Slope=0.2), nn.LeakyReLU(0.2)),
    ("ELU", dict(), nn.ELU()), ("ELU", dict(Alpha=0.5), nn.ELU(0.5)),
    ("GELU", dict(), nn.GELU()), ("GELU", dict(Tanh=True), nn.GELU("tanh")), ("SiLU", dict(), nn.SiLU()), ("Sigmoid", dict(), nn.Sigmoid()),
    ("Tanh", dict(), nn.Tanh()), ("Softmax", dict(), nn.Softmax(-1)), ("Softmax", dict(Axis=1), nn.Softmax(1)), ("LogSoftmax", dict(Axis=1), nn.LogSoftmax(1)),
    ("Flatten", dict(), nn.Flatten()),
]:
    case(kind, settings, module, [3, 4, 5], round=8)


class Self(nn.Module):
    """Self-attention as a module of one input."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x):
        return self.m(x, x, x)

    def state_dict(self):
        return self.m.state_dict()

    def named_parameters(self):
        return self.m.named_parameters()

    def __repr__(self):
        return repr(self.m)


case("MultiheadAttention", dict(Heads=2), Self(nn.MultiheadAttention(6, 2)), [5, 3, 6])
case("MultiheadAttention", dict(Heads=3, NoBias=True, BatchFirst=True), Self(nn.MultiheadAttention(6, 3, bias=False, batch_first=True)), [3, 5, 6])

case("TransformerEncoderLayer", dict(Heads=2, Hidden=5), nn.TransformerEncoderLayer(6, 2, 5), [4, 3, 6], False)
case("TransformerEncoderLayer", dict(Heads=3, Hidden=5, NormFirst=True, BatchFirst=True, GELU=True, Dropout=0.2),
     nn.TransformerEncoderLayer(6, 3, 5, 0.2, F.gelu, batch_first=True, norm_first=True), [3, 4, 6], False)


def attention(settings, call, m, q, k, v, **kwargs):
    """Query, key and value that differ, with masks and weights."""
    q, k, v = fill(q, 1), fill(k, 2), fill(v, 3)
    for x in q, k, v:
        x.requires_grad_()
    with torch.no_grad():
        for i, p in enumerate(m.parameters()):
            p.copy_(fill(p.shape, 20 + i, 0.5))
    y, w = m(q, k, v, **kwargs)
    (y * fill(y.shape, 9)).sum().backward()
    out["attention"].append({
        "settings": settings, "call": call, "q": list(q.shape), "k": list(k.shape), "v": list(v.shape), "names": [[n, list(p.shape)] for n, p in m.named_parameters()],
        "output": brief(y), "shape": list(y.shape), "weights": None if w is None else brief(w),
        "grads": [brief(x.grad) for x in (q, k, v)] + [brief(p.grad) for p in m.parameters()]})


never = fill([4, 5], 7) > 0.6
never[:, 0] = False
padding = torch.tensor([[False, False, False, True, True], [False, False, False, False, True]])
attention(dict(Heads=2), dict(Weights=True), nn.MultiheadAttention(6, 2), [4, 2, 6], [5, 2, 6], [5, 2, 6])
attention(dict(Heads=2, BatchFirst=True), dict(Weights=True, mask="bool", padding=True), nn.MultiheadAttention(6, 2, batch_first=True),
          [2, 4, 6], [2, 5, 6], [2, 5, 6], attn_mask=never, key_padding_mask=padding)
attention(dict(Heads=3, KeyIn=4, ValueIn=5), dict(EachHead=True, mask="float"), nn.MultiheadAttention(6, 3, kdim=4, vdim=5),
          [4, 2, 6], [5, 2, 4], [5, 2, 5], attn_mask=fill([4, 5], 7), average_attn_weights=False)
attention(dict(Heads=2), dict(Causal=True), nn.MultiheadAttention(6, 2), [5, 2, 6], [5, 2, 6], [5, 2, 6],
          attn_mask=torch.triu(torch.ones(5, 5, dtype=torch.bool), 1), need_weights=False)

m = nn.Transformer(6, 2, 2, 2, 5, batch_first=True).eval()
x, y = fill([2, 5, 6], 1).requires_grad_(), fill([2, 4, 6], 2).requires_grad_()
with torch.no_grad():
    for i, p in enumerate(m.parameters()):
        p.copy_(fill(p.shape, 20 + i, 0.5))
z = m(x, y, tgt_mask=torch.triu(torch.ones(4, 4, dtype=torch.bool), 1), src_key_padding_mask=padding, memory_key_padding_mask=padding)
(z * fill(z.shape, 9)).sum().backward()
out["transformer"] = {"names": [n for n, _ in m.named_parameters()], "output": brief(z), "grads": [brief(t.grad) for t in (x, y)] + [brief(p.grad) for p in m.parameters()]}

m = nn.LSTM(3, 4, 2, bidirectional=True)
x, h, c = fill([5, 2, 3], 1), fill([4, 2, 4], 2), fill([4, 2, 4], 3)
for t in x, h, c:
    t.requires_grad_()
with torch.no_grad():
    for i, p in enumerate(m.parameters()):
        p.copy_(fill(p.shape, 20 + i, 0.5))
y, (hn, cn) = m(x, (h, c))
((y * fill(y.shape, 9)).sum() + (hn * fill(hn.shape, 10)).sum() + (cn * fill(cn.shape, 11)).sum()).backward()
out["lstm"] = {"output": brief(y), "h": brief(hn), "c": brief(cn), "grads": [brief(t.grad) for t in (x, h, c)] + [brief(p.grad) for p in m.parameters()]}


def classes(*labels, shape=None):
    return {"labels": list(labels), "shape": shape or [len(labels)], "tensor": torch.tensor(labels).reshape(shape or [len(labels)])}


w = [0.5, 2.0, 1.0, 0.0, 1.5]
W = torch.tensor(w)
for reduction in "mean", "sum", "none":
    r = {"Reduction": reduction}
    loss("CrossEntropyLoss", r, nn.CrossEntropyLoss(reduction=reduction), [4, 5], classes(0, 2, 4, 1))
    loss("CrossEntropyLoss", {**r, "Weight": w, "LabelSmoothing": 0.1}, nn.CrossEntropyLoss(W, label_smoothing=0.1, reduction=reduction), [4, 5], classes(0, 2, 4, -100))
    loss("NLLLoss", {**r, "Weight": w}, nn.NLLLoss(W, reduction=reduction), [4, 5], classes(0, 2, 4, 1))
    loss("MSELoss", r, nn.MSELoss(reduction=reduction), [4, 5], shares([4, 5], "plain"))
    loss("L1Loss", r, nn.L1Loss(reduction=reduction), [4, 5], shares([4, 5], "plain"))
    loss("SmoothL1Loss", r, nn.SmoothL1Loss(reduction=reduction), [4, 5], shares([4, 5], "plain"))
    loss("BCEWithLogitsLoss", {**r, "PosWeight": w}, nn.BCEWithLogitsLoss(pos_weight=W, reduction=reduction), [4, 5], shares([4, 5], "unit"))
    loss("KLDivLoss", r, nn.KLDivLoss(reduction=reduction), [4, 5], shares([4, 5], "zeros"))
    loss("KLDivLoss", {**r, "LogTarget": True}, nn.KLDivLoss(log_target=True, reduction=reduction), [4, 5], shares([4, 5], "logsoftmax"))
loss("KLDivLoss", {"Reduction": "batchmean"}, nn.KLDivLoss(reduction="batchmean"), [4, 5], shares([4, 5], "zeros"))
loss("CrossEntropyLoss", {"IgnoreIndex": 0}, nn.CrossEntropyLoss(ignore_index=0), [4, 5], classes(0, 2, 0, 1))
loss("CrossEntropyLoss", {"LabelSmoothing": 0.2}, nn.CrossEntropyLoss(label_smoothing=0.2), [4, 5], classes(0, 2, 4, 1))
loss("CrossEntropyLoss", {"LabelSmoothing": 0.2, "Weight": w}, nn.CrossEntropyLoss(W, label_smoothing=0.2), [4, 5], shares([4, 5], "softmax"))
loss("CrossEntropyLoss", {}, nn.CrossEntropyLoss(), [2, 5, 3], classes(0, 2, 4, 1, 3, 3, shape=[2, 3]))
loss("CrossEntropyLoss", {}, nn.CrossEntropyLoss(), [2, 5, 3], shares([2, 5, 3], "softmax"))
loss("NLLLoss", {"IgnoreIndex": 2}, nn.NLLLoss(ignore_index=2), [2, 5, 3], classes(0, 2, 4, 1, 3, 3, shape=[2, 3]))
loss("SmoothL1Loss", {"Beta": 0.3}, nn.SmoothL1Loss(beta=0.3), [4, 5], shares([4, 5], "plain"))
loss("BCEWithLogitsLoss", {"Weight": w}, nn.BCEWithLogitsLoss(W), [4, 5], shares([4, 5], "unit"))

print(json.dumps(out, separators=(",", ":")))
