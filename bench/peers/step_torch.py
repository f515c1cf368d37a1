"""Milliseconds and memory that PyTorch takes for a training step, or a forward pass, of a network.

    python step_torch.py [cifar|resnet18|resnet50|transformer|lstm|gpt|vgg16head|mlp] [--predict] [--device cpu] [--steps 60]
        [--channels-last] [--compile] [--copy] [--tf32] [--bf16] [--batch 16] [--side 64] [--warm 10]

cifar is the tutorial network: three 5x5 convolutions (32, 32, 64 channels, padding 2), each followed by 2x2 max pooling,
then 1024 -> 64 -> 10; SGD, batch 64. resnet18 and resnet50 are torchvision's, --batch pictures of --side pixels squared, SGD.
transformer is two encoder layers of 128, four heads and 512 inner units without dropout over 32 sequences of 64 words, Adam.
lstm is one of 128 over 128 sequences of 200 vectors of 64, classified by the mean of its outputs, SGD. gpt is a block of
GPT-2's of 256 and eight heads, causal, without dropout, over 8 texts of 256 letters, Adam. vgg16head is torchvision's vgg16
with frozen features on 16 pictures of 224x224, SGD. mlp is 784-128-10, batch 64, SGD. Cross entropy, random input, learning
rate 0.01 of SGD and 0.001 of Adam. The loss is read after every step. With --copy the batch goes from the host to the device
in each step. With --compile torch.compile makes a program of the network, --tf32 lets products of matrices take TF32, and
--bf16 runs the network by autocast in bfloat16. --warm steps come before those that are timed, 3 of vgg16head. Prints one
line of JSON; cpu is the processor time of a step in milliseconds, peak the most memory that the process ever held, in MiB.
"""
import argparse
import json
import resource
import time

import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("net", nargs="?", default="cifar", choices=["cifar", "resnet18", "resnet50", "transformer", "lstm", "gpt", "vgg16head", "mlp"])
p.add_argument("--predict", action="store_true")
p.add_argument("--device", default="cpu")
p.add_argument("--steps", type=int, default=60)
p.add_argument("--channels-last", action="store_true")
p.add_argument("--compile", action="store_true")
p.add_argument("--copy", action="store_true")
p.add_argument("--tf32", action="store_true")
p.add_argument("--bf16", action="store_true")
p.add_argument("--batch", type=int, default=16)
p.add_argument("--side", type=int, default=64)
p.add_argument("--warm", type=int)
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


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(64, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0].mean(1))


class Letters(nn.Module):
    def __init__(self, size=256, heads=8):
        super().__init__()
        self.heads, self.embedding = heads, nn.Embedding(64, size)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(size), nn.LayerNorm(size), nn.LayerNorm(size)
        self.qkv, self.proj = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.up, self.down, self.head = nn.Linear(size, 4 * size), nn.Linear(4 * size, size), nn.Linear(size, 64)

    def forward(self, text):
        x = self.embedding(text)
        n, t, size = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(n, t, size))
        x = x + self.down(nn.functional.gelu(self.up(self.norm2(x)), approximate="tanh"))
        return self.head(self.norm3(x)).transpose(1, 2)


torch.manual_seed(0)
if args.net == "cifar":
    net = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10))
    x = torch.rand(64, 3, 32, 32)
elif args.net.startswith("resnet"):
    import torchvision
    net, x = getattr(torchvision.models, args.net)(num_classes=10), torch.rand(args.batch, 3, args.side, args.side)
elif args.net == "vgg16head":
    import torchvision
    net, x = torchvision.models.vgg16(num_classes=10), torch.rand(16, 3, 224, 224)
    for p in net.features.parameters():
        p.requires_grad = False
elif args.net == "mlp":
    net, x = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)), torch.rand(64, 1, 28, 28)
elif args.net == "lstm":
    net, x = Sequences(), torch.rand(128, 200, 64)
elif args.net == "gpt":
    net, x = Letters(), torch.randint(0, 64, (8, 256))
else:
    net, x = Words(), torch.randint(0, 1000, (32, 64))
net = net.to(args.device)
if args.channels_last:
    net, x = net.to(memory_format=form), x.contiguous(memory_format=form)
y = x if args.net == "gpt" else torch.randint(0, 10, (len(x),))
if not args.copy:
    x, y = x.to(args.device), y.to(args.device)
if args.compile:
    net = torch.compile(net)
torch.backends.cuda.matmul.allow_tf32 = args.tf32
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.Adam(net.parameters()) if args.net in ("transformer", "gpt") else torch.optim.SGD(net.parameters(), lr=0.01)


def step():
    opt.zero_grad()
    with torch.autocast(torch.device(args.device).type, torch.bfloat16, enabled=args.bf16):
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
for _ in range(args.warm or (3 if args.net == "vgg16head" else 10)):
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
