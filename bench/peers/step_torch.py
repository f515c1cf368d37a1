"""Milliseconds and memory that PyTorch takes for a training step, or a forward pass, of a network.

    python step_torch.py [cifar|resnet18|transformer] [--predict] [--device cpu] [--steps 60] [--channels-last] [--compile] [--copy]

cifar is the tutorial network: three 5x5 convolutions (32, 32, 64 channels, padding 2), each followed by 2x2 max pooling,
then 1024 -> 64 -> 10; SGD, batch 64. resnet18 is torchvision's, 16 pictures of 64x64, SGD. transformer is two encoder layers
of 128, four heads and 512 inner units without dropout over 32 sequences of 64 words, Adam. Cross entropy, random input,
learning rate 0.01 of SGD and 0.001 of Adam. The loss is read after every step. With --copy the batch goes from the host to
the device in each step. With --compile torch.compile makes a program of the network. Prints one line of JSON; cpu is the
processor time of a step in milliseconds, peak the most memory that the process ever held, in MiB.
"""
import argparse
import json
import resource
import time

import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("net", nargs="?", default="cifar", choices=["cifar", "resnet18", "transformer"])
p.add_argument("--predict", action="store_true")
p.add_argument("--device", default="cpu")
p.add_argument("--steps", type=int, default=60)
p.add_argument("--channels-last", action="store_true")
p.add_argument("--compile", action="store_true")
p.add_argument("--copy", action="store_true")
args = p.parse_args()
form = torch.channels_last if args.channels_last else torch.contiguous_format


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(1000, 128)
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.encoder(self.embedding(x)).mean(1))


torch.manual_seed(0)
if args.net == "cifar":
    net = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10))
    x = torch.rand(64, 3, 32, 32)
elif args.net == "resnet18":
    import torchvision
    net, x = torchvision.models.resnet18(num_classes=10), torch.rand(16, 3, 64, 64)
else:
    net, x = Words(), torch.randint(0, 1000, (32, 64))
net = net.to(args.device)
if args.channels_last:
    net, x = net.to(memory_format=form), x.contiguous(memory_format=form)
y = torch.randint(0, 10, (len(x),))
if not args.copy:
    x, y = x.to(args.device), y.to(args.device)
if args.compile:
    net = torch.compile(net)
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.Adam(net.parameters()) if args.net == "transformer" else torch.optim.SGD(net.parameters(), lr=0.01)


def step():
    opt.zero_grad()
    loss = loss_fn(net(x.to(args.device)), y.to(args.device))
    loss.backward()
    opt.step()
    return loss.item()


@torch.inference_mode()
def predict():
    return net(x.to(args.device)).cpu().numpy()


run = step
if args.predict:
    net.eval()
    run = predict
for _ in range(10):
    run()
times, before = [], time.process_time()
for _ in range(args.steps):
    start = time.perf_counter()
    run()
    times.append(1000 * (time.perf_counter() - start))
used = time.process_time() - before
print(json.dumps({"version": torch.__version__, "device": args.device, "threads": torch.get_num_threads(), "ms": times,
                  "cpu": 1000 * used / args.steps,
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
