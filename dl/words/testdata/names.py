"""The public names of PyTorch and torchvision, for pytorch.txt: python names.py > ../pytorch.txt"""
import inspect
import textwrap

import torch
import torch.nn.functional
import torch.utils.data
import torchvision
from torchvision.transforms import v2


def public(module, wanted=callable):
    return [n for n in dir(module) if not n.startswith("_") and wanted(getattr(module, n, None))]


anything = lambda _: True
lists = {
    "nn": public(torch.nn, inspect.isclass),
    "functional": public(torch.nn.functional),
    "optim": public(torch.optim, inspect.isclass),
    "lr_scheduler": public(torch.optim.lr_scheduler, inspect.isclass),
    "data": public(torch.utils.data),
    "init": [n for n in public(torch.nn.init) if n.endswith("_")],
    "torch": public(torch, lambda v: callable(v) and not isinstance(v, type)),
    "Tensor": public(torch.Tensor, anything),
    "Module": public(torch.nn.Module, anything),
    "Optimizer": public(torch.optim.Optimizer, anything),
    "transforms": sorted(set(public(v2, inspect.isclass)) | set(public(torchvision.transforms, inspect.isclass))),
    "models": public(torchvision.models, inspect.isfunction),
    "datasets": public(torchvision.datasets, inspect.isclass),
}
typing = {"Any", "Callable", "Counter", "DType", "Optional", "ScalingType", "SupportsFloat", "SwizzleType", "partial", "ref"}

print("# The public names of PyTorch and torchvision, by their packages, so that a message knows what a\n"
      f"# person means. Made by testdata/names.py with torch {torch.__version__}, torchvision {torchvision.__version__}.")
for name, names in lists.items():
    print("#", name)
    print("\n".join(textwrap.wrap(" ".join(n for n in names if n not in typing), 100)))
