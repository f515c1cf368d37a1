# Makes sweep.json: the SHA-256 of what torchvision gives for many sizes and
# settings, to compare package vision with. Pictures are made by the formula of
# picture(), which reference_test.go has too. Run with torchvision 0.29 and
# Pillow 13.0:
#
#     python sweep.py > sweep.json
import hashlib
import json

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as F


def picture(h, w):
    y, x, c = np.mgrid[:h, :w, :3]
    v = ((x * (5 + c)) ^ (y * (3 + 2 * c))) + x * y // (7 + c) + (x * 7919 + y * 104729 + c * 1299709) % 23
    return Image.fromarray((v & 255).astype(np.uint8))


def planes(img):
    a = np.atleast_3d(np.asarray(img))
    return np.ascontiguousarray(a.transpose(2, 0, 1))


rows = []


def add(name, h, w, args, out):
    a = planes(out) if isinstance(out, Image.Image) else out.numpy().astype("<f4")
    rows.append({"Name": name, "H": h, "W": w, "Args": args, "Out": list(a.shape), "Sum": hashlib.sha256(a.tobytes()).hexdigest()[:32]})


rng = np.random.default_rng(11)
sides = [(1, 1), (1, 40), (40, 1), (2, 300), (300, 2), (7, 9), (33, 21), (32, 32), (64, 48), (99, 100), (210, 250), (250, 210), (375, 500), (500, 375)]
for h, w in sides:
    img = picture(h, w)
    for oh, ow in [(1, 1), (7, 5), (16, 16), (21, 33), (32, 32), (32, 224), (224, 224), (h, 30), (30, w), (h // 2 + 1, w // 2 + 1), (h // 3 + 1, w), (2 * h, w)]:
        add("Resize", h, w, [oh, ow], F.resize(img, [oh, ow]))
    for size in (8, 57, 224):
        if max(h, w) < 100 * min(h, w):
            add("Size", h, w, [size], T.Resize(size)(img))
for h, w in [(60, 80), (375, 500), (500, 375)]:
    img = picture(h, w)
    for _ in range(30):
        ch, cw = int(rng.integers(1, h + 1)), int(rng.integers(1, w + 1))
        y, x = int(rng.integers(0, h - ch + 1)), int(rng.integers(0, w - cw + 1))
        size = int(rng.choice([1, 24, 112, 224]))
        add("ResizedCrop", h, w, [y, x, ch, cw, size], F.resized_crop(img, y, x, ch, cw, [size, size]))
        oh, ow = int(rng.integers(1, 300)), int(rng.integers(1, 300))
        ch, cw = int(rng.integers(1, oh + 1)), int(rng.integers(1, ow + 1))
        y, x = int(rng.integers(0, oh - ch + 1)), int(rng.integers(0, ow - cw + 1))
        add("ResizeCrop", h, w, [oh, ow, y, x, ch, cw], F.crop(F.resize(img, [oh, ow]), y, x, ch, cw))
for h, w in [(9, 14), (40, 33), (101, 64)]:
    img = picture(h, w)
    for size in (1, 4, 9, 15, 32, 33, 50, 101, 120):
        add("CenterCrop", h, w, [size], F.center_crop(img, [size, size]))
    for mode in ("constant", "edge", "reflect", "symmetric"):
        for pad in ((1, 1, 1, 1), (3, 0, 2, 5), (0, 8, 8, 0)):
            add("Pad " + mode, h, w, list(pad), F.pad(img, list(pad), 7 if mode == "constant" else 0, mode))
    for v in (0, 0.25, 0.9, 1.3, 2.5):
        add("Brighten", h, w, [v], F.adjust_brightness(img, v))
        add("Contrast", h, w, [v], F.adjust_contrast(img, v))
        add("Saturate", h, w, [v], F.adjust_saturation(img, v))
    for v in (-0.5, -0.31, -0.02, 0.07, 0.5):
        add("TurnHue", h, w, [v], F.adjust_hue(img, v))
    for v in (-171, -90, -45, -12.5, 0, 3, 30, 60, 89, 90, 91, 180, 200.25, 270, 315):
        add("Rotate", h, w, [v], F.rotate(img, v))
    add("Grayscale", h, w, [1], F.to_grayscale(img, 1))
    add("Grayscale", h, w, [3], F.to_grayscale(img, 3))
    add("ToTensor", h, w, [], F.to_tensor(img))
    for mean, std in (((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), ((0.1307,) * 3, (0.3081,) * 3)):
        add("Normalize", h, w, list(mean + std), F.normalize(F.to_tensor(img), mean, std))

print(json.dumps({"By": f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}", "Rows": rows}).replace('{"Name"', '\n{"Name"'))
