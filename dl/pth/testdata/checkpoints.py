"""Writes checkpoints.json.gz: checkpoints as people save them, weights at some level of them beside much else, and
tensors of every type. Made with Python 3.11, torch 2.15.0, numpy and safetensors: python checkpoints.py

Each row is {name, key, file, want}: the file in base64; the key to ask for; and the tensors that
torch gives, as [shape, values], or null where there is more than one choice or none."""
import argparse
import base64
import collections
import dataclasses
import datetime
import enum
import functools
import gzip
import io
import json
import os
import pathlib
import types
import zipfile

import numpy as np
import torch

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rows = []


def plain(sd):
    """Shapes and values; null stands for NaN."""
    flat = {k: v.detach().to(torch.float64) for k, v in sd.items() if isinstance(v, torch.Tensor)}
    return {k: [list(v.shape), [None if x != x else x for x in v.flatten().tolist()]] for k, v in flat.items()}


def raw(name, data, want, key=""):
    rows.append({"name": name, "key": key, "file": base64.b64encode(data).decode(), "want": want if want is None else plain(want)})


def saved(value, protocol=2, zipped=True):
    b = io.BytesIO()
    torch.save(value, b, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    return b.getvalue()


def add(name, value, want, key=""):
    for zipped in (True, False):
        raw(f"{name}, {'zip' if zipped else 'legacy'}", saved(value, zipped=zipped), want, key)


torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
other = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
adam = torch.optim.Adam(net.parameters(), lr=0.1)
net(torch.ones(4, 2)).sum().backward()
adam.step()
sd, sd2, opt = net.state_dict(), other.state_dict(), adam.state_dict()
acc, rng = torch.tensor(0.91), torch.zeros(16, dtype=torch.uint8)
bare = {"w": torch.ones(2), "b": torch.zeros(1)}  # names that no layer has

# The level.
for key in ["model", "state_dict", "model_state_dict", "net", "params_ema", "params", "model_state", "ema", "weights", "generator", "module", "network",
            "student", "something", "model_G", "Model"]:
    add(f"under {key}", {"epoch": 3, key: sd, "best_acc": acc, "optimizer": opt, "rng_state": rng}, sd)
    add(f"bare names under {key}", {"epoch": 3, key: bare, "optimizer": opt}, bare)
for key in ["model", "net", "params"]:
    add(f"bare names under {key} beside tensors", {key: bare, "best_acc": acc}, bare)
add("bare names beside tensors", {"mine": bare, "best_acc": acc}, None)
add("bare names beside tensors, by key", {"mine": bare, "best_acc": acc}, bare, "mine")
add("the top level by key", {"mine": bare, "best_acc": acc}, {"best_acc": acc}, ".")
add("model.model", {"model": {"model": sd, "step": torch.tensor(3)}, "args": {"lr": 0.1}}, sd)
add("state.model.state_dict", {"state": {"model": {"state_dict": sd}}}, sd)
add("a list of one", {"models": [sd], "loss": acc}, sd)
add("a list of two", {"models": [sd, sd2]}, None)
add("a list of two, by key", {"models": [sd, sd2]}, sd2, "models.1")
add("params and params_ema", {"params": sd, "params_ema": sd2}, None)
add("params and params_ema, by key", {"params": sd, "params_ema": sd2}, sd2, "params_ema")
add("student and teacher", {"student": sd, "teacher": sd2, "epoch": 1}, None)
add("student and teacher, by key", {"student": sd, "teacher": sd2, "epoch": 1}, sd, "student")
add("model and an ema with its decay", {"model": sd, "ema": {"decay": torch.tensor(0.999), "num_updates": torch.tensor(3)}}, sd)
add("model and ema.module", {"model": sd, "ema": {"module": sd2}}, None)
add("nested, by key", {"model": {"generator": sd, "discriminator": sd2}}, sd2, "model.discriminator")
add("part of the way, by key", {"model": {"generator": sd, "step": acc}, "old": sd2}, sd, "model")
add("keys with dots, by key", {"a.b": {"c.d": sd, "c": sd2}}, sd, "a.b.c.d")
add("a number as key", {0: sd, 1: sd2}, sd2, "1")
add("the same weights twice", {"model": sd, "net": net.state_dict()}, sd)
add("the same dictionary twice", {"model": sd, "net": sd}, sd)
add("weights beside weights", {**sd, "model": sd2}, None)
add("weights beside weights, the top level by key", {**sd, "model": sd2}, sd, ".")
add("extra state", {**sd, "1._extra_state": {"scale": acc}}, sd)
add("Lightning", {"state_dict": sd, "optimizer_states": [opt], "lr_schedulers": [{"last": acc}], "pytorch-lightning_version": "2.0",
                  "callbacks": {"ModelCheckpoint{'monitor': 'val.loss'}": {"best_model_score": acc, "best_k_models": {"a.ckpt": acc}}},
                  "loops": {"fit": {"progress": {"total": acc}}}, "hyper_parameters": {"weight": acc}}, sd)
add("DeepSpeed", {"module": sd, "optimizer": None, "buffer_names": [], "rng_state": rng, "loss_scaler": {"cur_scale": acc}}, sd)
add("beside running means", {"model": sd, "running_mean": acc, "reward": {"running_mean": acc, "running_var": acc, "count": acc}}, sd)
add("a single layer and a loose tensor", {"weight": torch.ones(2), "bias": torch.ones(1), "step": acc}, {"weight": torch.ones(2), "bias": torch.ones(1), "step": acc})
add("an optimizer alone", {"optimizer": opt, "epoch": 1}, None)
add("a missing key", {"model": sd, "epoch": 1}, None, "modle")
add("a key of a number", {"model": sd, "epoch": 1}, None, "epoch")
add("a key through a tensor", {"model": sd}, None, "model.0.weight.x")
add("a whole model beside", {"model": net, "best_fitness": acc}, None)
add("a whole model and its weights", {"model": net, "state_dict": sd}, sd)
add("numbers as keys", {0: acc, 1: acc}, None)
add("tuples as keys", {(0, 1): acc}, None)
add("numbers and tuples as keys beside weights", {"model": sd, 0: acc, (1, 2): acc, None: 3}, sd)


# What is beside the weights.
class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Config:
    width: int = 3


class Attributes(dict):
    __getattr__ = dict.get


extras = {
    "torch.device": torch.device("cuda:1"), "torch.dtype": torch.float32, "torch.Size": torch.Size([1, 2]), "torch.layout": torch.strided,
    "set": {1, "a"}, "empty set": set(), "frozenset": frozenset({1, 2}), "bytes": b"otter\xff", "long bytes": b"o" * 300, "bytearray": bytearray(b"otter"),
    "complex": 1 + 2j, "Counter": collections.Counter("otter"), "OrderedDict": collections.OrderedDict(a=1), "defaultdict": collections.defaultdict(list, a=[1]),
    "deque": collections.deque([1, 2]), "Buffer": torch.nn.Buffer(torch.ones(2)), "numpy scalar": np.float64(0.5), "numpy array": np.arange(6).reshape(2, 3),
    "numpy bool": np.bool_(True), "numpy dtype": np.dtype("float32"), "numpy generator": np.random.default_rng(0), 
    "Namespace": argparse.Namespace(lr=0.1), "SimpleNamespace": types.SimpleNamespace(lr=0.1), "path": pathlib.Path("a/b"), "datetime": datetime.datetime(2026, 1, 2),
    "timedelta": datetime.timedelta(1), "enum": Colour.RED, "dataclass": Config(), "partial": functools.partial(print, 1), "function": print, "class": Config,
    "range": range(3), "slice": slice(1, 2), "large number": 2**4000, "float": 0.1, "infinity": float("inf"), "subclass of dict": Attributes(a=1),
    "optimizer": adam, "scheduler": torch.optim.lr_scheduler.StepLR(adam, 3).state_dict(), "exception": ValueError("x"),
    "nested": {"a": [{1, 2}, (Config(), {"b": b"x"})]}, "text": "Otter\n\\u0041'ä🦦", "sparse": torch.eye(2).to_sparse(),
    "storage": torch.ones(2).untyped_storage(),
}
for name, value in extras.items():
    for protocol in range(6):
        for zipped in (True, False)[:2 if protocol == 2 else 1]:
            try:
                data = saved({"args": value, "model": sd, "after": [value, value]}, protocol, zipped)
            except Exception as err:
                print(name, protocol, zipped, "is not written:", err)
                continue
            raw(f"{name}, protocol {protocol}, {'zip' if zipped else 'legacy'}", data, sd)
for protocol in range(6):
    try:
        raw(f"everything, protocol {protocol}", saved({**extras, "state_dict": sd}, protocol), sd)
        raw(f"a defaultdict of tensors, protocol {protocol}", saved(collections.defaultdict(list, sd), protocol), sd)
        raw(f"a subclass of dict, protocol {protocol}", saved(Attributes(model=Attributes(sd)), protocol), sd)
    except Exception as err:
        print("everything", protocol, "is not written:", err)
for protocol in range(6):
    odd = {"Otterä\n\\u0041'🦦.weight": torch.ones(2), 'a"b': acc}
    raw(f"odd names, protocol {protocol}", saved(odd, protocol), odd)
add("beside an unknown object among tensors", {**sd, "config": Config(), "when": datetime.date(2026, 1, 2)}, sd)

# The types of elements.
base = torch.tensor([0.0, 1.0, -1.5, 0.25, 448.0, 3e-3, 57344.0])
for dtype in ["uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float16", "bfloat16", "int8", "bool"]:
    x = (base.abs() if dtype.startswith("uint") or "e8m0" in dtype else base).to(getattr(torch, dtype))
    add(dtype, {"x.weight": x, "part": x[1:6:2], "scalar": x[1], "empty": x[:0]}, {"x.weight": x, "part": x[1:6:2], "scalar": x[1], "empty": x[:0]})
    if "float8" in dtype:  # all of them but infinities, which JSON has not
        x = torch.arange(256, dtype=torch.uint8).view(getattr(torch, dtype))
        x = x[~x.float().isinf()]
        add(f"every {dtype}", {"x": x}, {"x": x})
z = torch.tensor([1 + 2j, 3 - 4j])
add("the negative bit", {"x": torch._neg_view(torch.arange(6.0).reshape(2, 3)), "y": z.conj().imag, "w": torch.ones(1)},
    {"x": -torch.arange(6.0).reshape(2, 3), "y": torch.tensor([-2.0, 4.0]), "w": torch.ones(1)})
add("the conjugate bit", {"x": z.conj()}, None)
add("a Buffer", {"x": torch.nn.Buffer(torch.arange(2.0)), "y": torch.nn.Parameter(torch.ones(1))}, {"x": torch.arange(2.0), "y": torch.ones(1)})

# Archives that torch reads and does not write.
data = saved({"model": sd, "bytes": b"x"})


def packed(change, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def big_endian(name, content):
    if name.endswith("byteorder"):
        return b"big"
    if "/data/" not in name:
        return content
    n = 8 if name.endswith("/6") else 4  # num_batches_tracked is the last
    return b"".join(content[i:i + n][::-1] for i in range(0, len(content), n))


raw("deflated", packed(lambda name, content: content, zipfile.ZIP_DEFLATED), sd)
raw("bzip2", packed(lambda name, content: content, zipfile.ZIP_BZIP2), None)
raw("big-endian", packed(big_endian), sd)
torch.serialization.set_crc32_options(False)
raw("no checksums", saved({"model": sd}), sd)
torch.serialization.set_crc32_options(True)
b = io.BytesIO()
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 1)), b)
raw("TorchScript", b.getvalue(), None)

text = "[\n" + ",\n".join(json.dumps(r, allow_nan=False) for r in rows) + "\n]\n"
with open("checkpoints.json.gz", "wb") as f:
    f.write(gzip.compress(text.encode(), 9, mtime=0))
print(len(rows), "files")
