"""Writes the files that pth_test.go reads. Made with torch 2.15.0: python make.py"""
import json
import os
import pickle

import torch

os.chdir(os.path.dirname(os.path.abspath(__file__)))
base = torch.arange(24, dtype=torch.float32) / 8 - 1
tied = torch.nn.Parameter(base[:6].clone().reshape(2, 3))
state = {
    "float32": base.reshape(2, 3, 4),
    "transposed": base.reshape(4, 6).t(),
    "part": base[5:17:2],
    "expanded": torch.tensor([1.5, 2.5]).reshape(2, 1).expand(2, 3),
    "float64": base[:3].double(),
    "float16": base[:5].half(),
    "bfloat16": base[:5].bfloat16(),
    "int64": torch.tensor([1, -(2**40), 3]),
    "int32": torch.tensor([[1], [-2]], dtype=torch.int32),
    "int16": torch.tensor([-300, 300], dtype=torch.int16),
    "int8": torch.tensor([-3, 3], dtype=torch.int8),
    "uint8": torch.tensor([0, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(7),
    "empty": torch.zeros(0, 3),
    "tied.a": tied,
    "tied.b": tied,
}
torch.save(state, "zip.pth")
torch.save(state, "legacy.pth", _use_new_zipfile_serialization=False)
json.dump({k: {"shape": list(v.shape), "values": v.double().flatten().tolist()} for k, v in state.items()}, open("state.json", "w"), indent=0, sort_keys=True)

net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
for p in net.parameters():
    torch.nn.init.constant_(p, 0.5)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net(torch.ones(4, 2)).sum().backward()
optimizer.step()
for p in net.parameters():
    torch.nn.init.constant_(p, 0.5)
checkpoint = {"epoch": 3, "optimizer": optimizer.state_dict(), "state_dict": net.state_dict(), "loss": 0.25}
torch.save(checkpoint, "checkpoint.pth")
torch.save(checkpoint, "checkpoint-legacy.pth", _use_new_zipfile_serialization=False)
torch.save(net, "model.pth")


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


torch.save({"weight": torch.zeros(2), "x": Evil()}, "evil.pth")
torch.save({"weight": torch.zeros(2), "x": Evil()}, "evil-legacy.pth", _use_new_zipfile_serialization=False)
