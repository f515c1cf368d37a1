"""Reference data for loaders in jobs of several processes, made by PyTorch: python sampler.py > sampler.json

For so many examples in batches of a size in all processes together: the numbers of the examples in the batches of each
process.
"""
import json
import torch
from torch.utils.data import DataLoader, DistributedSampler

out = {"torch": torch.__version__, "jobs": []}
for examples, batch, processes in [(24, 8, 2), (24, 8, 4), (21, 6, 3), (20, 8, 4), (22, 8, 4)]:
    data = list(range(examples))
    out["jobs"].append({"examples": examples, "batch": batch, "processes": processes, "ranks": [
        [b.tolist() for b in DataLoader(data, batch_size=batch // processes, sampler=DistributedSampler(data, processes, rank, shuffle=False))]
        for rank in range(processes)]})
print(json.dumps(out, separators=(",", ":")))
