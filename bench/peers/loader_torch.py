"""Pictures a second of torchvision's loader: ImageFolder, Resize 256, RandomCrop 224, flip, ToTensor, Normalize, batch 16.

    python loader_torch.py FOLDER [--workers 4] [--epochs 3]

The first epoch starts the workers and is not timed. Prints one line of JSON.
"""
import argparse
import json
import time

import torch
import torchvision
from torchvision import transforms as t

p = argparse.ArgumentParser()
p.add_argument("folder")
p.add_argument("--workers", type=int, default=4)
p.add_argument("--epochs", type=int, default=3)
args = p.parse_args()
data = torchvision.datasets.ImageFolder(args.folder, t.Compose([
    t.Resize(256), t.RandomCrop(224), t.RandomHorizontalFlip(), t.ToTensor(),
    t.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]))
loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, num_workers=args.workers, persistent_workers=args.workers > 0)
rates = []
for epoch in range(args.epochs + 1):
    start, n = time.perf_counter(), 0
    for x, y in loader:
        n += len(y)
    if epoch > 0:
        rates.append(n / (time.perf_counter() - start))
print(json.dumps({"version": torchvision.__version__, "pictures": len(data), "rate": rates}))
