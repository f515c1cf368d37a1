"""Writes pickles.json: pickles that are no state dict, and what torch writes of
tensors that dl cannot hold. Made with Python 3.11 and torch 2.15.0: python pickles.py

Each row is {name, wrap, file}: the file, compressed by zlib, in base64. With wrap, the test puts the
pickle as data.pkl into a zip archive like torch's."""
import base64
import io
import json
import os
import pickle
import warnings
import zlib

import torch

warnings.simplefilter("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
rows = []


def add(name, data, wrap=True):
    rows.append({"name": name, "wrap": wrap, "file": base64.b64encode(zlib.compress(data, 9)).decode()})


def evil(method):
    """A class whose pickles run a command when they are loaded, in one of pickle's ways."""

    class Evil:
        pass

    command = "touch executed"
    ways = {
        "__reduce__": lambda self: (os.system, (command,)),
        "__reduce__ eval": lambda self: (eval, (f"__import__('os').system({command!r})",)),
        "__reduce__ getattr": lambda self: (getattr, (os, "system")),
        "__reduce__ import": lambda self: (__import__, ("os",)),
        "__reduce__ state setter": lambda self: (dict, (), None, None, None, os.system),
        "__reduce__ torch.load": lambda self: (torch.load, ("/etc/passwd",)),
        "__reduce__ open": lambda self: (open, ("executed", "w")),
    }
    Evil.__reduce__ = ways[method]
    return Evil()


# What Python's own pickler writes, in every protocol.
for protocol in range(6):
    for method in ("__reduce__", "__reduce__ eval", "__reduce__ state setter", "__reduce__ torch.load", "__reduce__ open", "__reduce__ import"):
        add(f"{method}, protocol {protocol}", pickle.dumps({"weight": evil(method)}, protocol))

# Operations one by one, as a forger writes them.
system = b"cposix\nsystem\n"
arg = b"X\x0e\x00\x00\x00touch executed"
hand = {
    "GLOBAL and REDUCE": b"\x80\x02" + system + arg + b"\x85R.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + arg + b"\x85R.",
    "STACK_GLOBAL of a path": b"\x80\x04\x8c\x13torch.serialization\x8c\x09os.system\x93" + arg + b"\x85R.",
    "INST": b"(" + arg + b"iposix\nsystem\n.",
    "OBJ": b"(" + system + arg + b"o.",
    "NEWOBJ": b"\x80\x02" + system + arg + b"\x85\x81.",
    "NEWOBJ_EX": b"\x80\x04" + system + arg + b"\x85}\x92.",
    "BUILD": b"\x80\x02ccollections\nOrderedDict\n)R}X\x0c\x00\x00\x00__setstate__" + system + b"sb" + arg + b"b.",
    "BUILD of a function": b"\x80\x02" + system + b"}b.",
    "EXT1": b"\x80\x02\x82\x01" + arg + b"\x85R.",
    "EXT4": b"\x80\x02\x84\x01\x00\x00\x00" + arg + b"\x85R.",
    "PERSID": b"Pposix.system\n.",
    "BINPERSID of a command": b"\x80\x02" + arg + b"\x85Q.",
    "BINPERSID of a class": b"\x80\x02(X\x07\x00\x00\x00storage" + system + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ.",
    "REDUCE of data": b"\x80\x02" + arg + arg + b"\x85R.",
    "REDUCE of what was allowed": b"\x80\x02ctorch\nFloatStorage\n" + arg + b"\x85R.",
    "OrderedDict of no pairs": b"\x80\x02ccollections\nOrderedDict\n]K\x01a\x85R.",
    "a parameter of no tensor": b"\x80\x02ctorch._utils\n_rebuild_parameter\n" + arg + b"\x85R.",
    "NEXT_BUFFER": b"\x80\x05\x97.",
    "a key that is a list": b"\x80\x02}]K\x01s.",
    "no STOP": b"\x80\x02}",
    "POP of nothing": b"\x80\x020.",
    "a mark left over": b"\x80\x02(.",
    "MARK for a tuple": b"\x80\x02K\x01((t\x85.",
    "APPENDS to a number": b"\x80\x02K\x01(K\x01e.",
    "SETITEMS, odd": b"\x80\x02}(K\x01u.",
    "a number without digits": b"Iabc\n.",
    "a name without end": b"\x80\x02c" + b"x" * 5000,
    "an unknown protocol": b"\x80\x77}.",
    "an unknown operation": b"\x80\x02\xff.",
    # Lengths beyond what is there.
    "BINUNICODE of 4 GB": b"\x80\x02X\xff\xff\xff\xff",
    "BINUNICODE of 100 MB": b"\x80\x02X\x00\x00\x00\x06",
    "BINSTRING of -1": b"\x80\x02T\xff\xff\xff\xff",
    "BINBYTES of 4 GB": b"\x80\x03B\xff\xff\xff\xff",
    "BINUNICODE8 of 16 EB": b"\x80\x04\x8d" + b"\xff" * 8,
    "BINBYTES8 of 8 EB": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f",
    "BYTEARRAY8 of 8 EB": b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f",
    "LONG4 of 2 GB": b"\x80\x02\x8b\xff\xff\xff\x7f",
    "FRAME of 16 EB": b"\x80\x04\x95" + b"\xff" * 8 + b".",
    "SHORT_BINUNICODE cut off": b"\x80\x04\x8c\xffabc",
    "a memo that is not there": b"\x80\x02j\xff\xff\xff\xff.",
}
for name, data in hand.items():
    add(name, data)

# Small files that ask for much.
laughs = b"\x80\x02X\x03\x00\x00\x00ha!q\x00"
for i in range(60):
    laughs += (b"h" + bytes([i])) * 2 + b"\x86q" + bytes([i + 1])
add("billion laughs", laughs + b"}h\x00h" + bytes([60]) + b"s.")
itself = b"\x80\x02]q\x00h\x00a}X\x01\x00\x00\x00ah\x00s."
add("a list of itself", itself)
add("a dictionary of itself", b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.")
nested = b"\x80\x02" + b"}X\x05\x00\x00\x00model" * 5000 + b"}" + b"s" * 5000 + b"."
add("state dicts 5,000 deep", nested)
add("lists 20,000 deep", b"\x80\x02]" + b"]" * 20000 + b"a" * 20000 + b".")

# What torch writes.
x = torch.arange(4, dtype=torch.float32)


class Tagged(torch.Tensor):
    pass


def tagged():
    p = torch.nn.Parameter(x.clone())
    p.layer = "first"
    return p


torch_files = {
    "complex64": {"a": x.to(torch.complex64)},
    "complex128": {"a": x.to(torch.complex128)},
    "qint8": {"a": torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)},
    "quint8 by channel": {"a": torch.quantize_per_channel(x.reshape(2, 2), torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.quint8)},
    "sparse": {"a": x.reshape(2, 2).to_sparse()},
    "sparse csr": {"a": x.reshape(2, 2).to_sparse_csr()},
    "uint16": {"a": torch.tensor([1, 2], dtype=torch.uint16)},
    "float8": {"a": x.to(torch.float8_e4m3fn)},
    "a tensor alone": x,
    "a list": [x, x],
    "None": None,
    "nothing": {},
    "only numbers": {"epoch": 3, "lr": 0.1},
    "a model": torch.nn.Linear(2, 1),
    "a parameter with an attribute": {"a": tagged()},
    "on meta": {"a": torch.empty(2, device="meta")},
}
for name, value in torch_files.items():
    for zipped in (True, False):
        b = io.BytesIO()
        try:
            torch.save(value, b, _use_new_zipfile_serialization=zipped)
        except Exception as err:
            print(name, "zip" if zipped else "legacy", "is not written:", err)
            continue
        add(f"{name}, {'zip' if zipped else 'legacy'}", b.getvalue(), wrap=False)
good = {"weight": x.reshape(2, 2), "step": torch.tensor(3), "flag": True, "large": 2**70}
for protocol in range(6):
    for zipped in (True, False):
        b = io.BytesIO()
        torch.save(good, b, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
        add(f"protocol {protocol}, {'zip' if zipped else 'legacy'}", b.getvalue(), wrap=False)

with open("pickles.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
print(len(rows), "files")
