# Makes transforms.json: what torchvision gives for small pictures, to compare
# package vision with. Run with torchvision 0.29 and Pillow 13.0:
#
#     python transforms.py > transforms.json
import base64
import json

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as F

rng = np.random.default_rng(5)


def picture(h, w):
    smooth = rng.integers(0, 256, (h // 4 + 1, w // 4 + 1, 3), dtype=np.uint8)
    big = np.asarray(Image.fromarray(smooth).resize((w, h), Image.BICUBIC)).astype(int)
    return np.clip(big + rng.integers(-20, 20, (h, w, 3)), 0, 255).astype(np.uint8)


def planes(a):  # [H W C] to [C H W]
    return base64.b64encode(np.ascontiguousarray(a.transpose(2, 0, 1)).tobytes()).decode()


rows = []
for h, w, name, args, t in [
    (23, 31, "Resize", {"H": 10, "W": 7}, T.Resize((10, 7))),
    (23, 31, "Resize", {"H": 64, "W": 50}, T.Resize((64, 50))),
    (23, 31, "Resize", {"H": 23, "W": 12}, T.Resize((23, 12))),
    (23, 31, "Resize", {"H": 40, "W": 31}, T.Resize((40, 31))),
    (23, 31, "Resize", {"H": 1, "W": 1}, T.Resize((1, 1))),
    (23, 31, "Resize", {"H": 30, "W": 9}, T.Resize((30, 9))),
    (23, 31, "Resize", {"Size": 8}, T.Resize(8)),
    (31, 23, "Resize", {"Size": 17}, T.Resize(17)),
    (64, 48, "Resize", {"Size": 47}, T.Resize(47)),
    (1, 40, "Resize", {"H": 3, "W": 3}, T.Resize((3, 3))),
    (23, 31, "CenterCrop", {"Size": 16}, T.CenterCrop(16)),
    (23, 31, "CenterCrop", {"Size": 22}, T.CenterCrop(22)),
    (23, 31, "CenterCrop", {"H": 28, "W": 12}, T.CenterCrop((28, 12))),
    (23, 31, "CenterCrop", {"H": 26, "W": 36}, T.CenterCrop((26, 36))),
    (23, 31, "RandomHorizontalFlip", {"P": 1}, T.RandomHorizontalFlip(1)),
]:
    src = picture(h, w)
    dst = np.asarray(t(Image.fromarray(src)))
    rows.append({"Name": name, "Args": args, "In": [h, w], "Pix": planes(src), "Out": list(dst.shape[:2]), "Want": planes(dst)})

for name, f, values in [
    ("Brighten", F.adjust_brightness, [0, 0.3, 0.77, 1, 1.6]),
    ("Contrast", F.adjust_contrast, [0, 0.3, 0.77, 1, 1.6]),
    ("Saturate", F.adjust_saturation, [0, 0.3, 0.77, 1, 1.6]),
    ("TurnHue", F.adjust_hue, [-0.5, -0.13, 0, 0.01, 0.25, 0.5]),
    ("Rotate", F.rotate, [0, 7.5, -33, 90, 123.4, 180, 270, 359]),
]:
    for v in values:
        for h, w in [(12, 17), (14, 14)]:
            src = picture(h, w)
            dst = np.asarray(f(Image.fromarray(src), v))
            rows.append({"Name": name, "Args": v, "In": [h, w], "Pix": planes(src), "Out": list(dst.shape[:2]), "Want": planes(dst)})

for h, w, name, args, t in [
    (12, 17, "RandomVerticalFlip", {"P": 1}, T.RandomVerticalFlip(1)),
    (12, 17, "Grayscale", {}, T.Grayscale()),
    (12, 17, "Grayscale", {"Channels": 3}, T.Grayscale(3)),
    (12, 17, "RandomGrayscale", {"P": 1}, T.RandomGrayscale(1)),
    (6, 5, "Pad", {"Padding": 3}, T.Pad(3)),
    (6, 5, "Pad", {"Left": 1, "Top": 2, "Right": 3, "Bottom": 4, "Fill": 77}, T.Pad((1, 2, 3, 4), 77)),
] + [(h, w, "Pad", {"Left": 4, "Top": 2, "Right": 3, "Mode": mode}, T.Pad((4, 2, 3, 0), padding_mode=mode))
     for mode in ("edge", "reflect", "symmetric") for h, w in ((6, 5), (2, 3), (1, 1))]:
    src = picture(h, w)
    dst = np.asarray(t(Image.fromarray(src)))
    rows.append({"Name": name, "Args": args, "In": [h, w], "Pix": planes(src), "Out": list(dst.shape[:2]), "Want": planes(np.atleast_3d(dst))})

for y, x, h, w in [(0, 0, 3, 4), (7, 9, 5, 8), (2, 3, 1, 1)]:
    src = picture(12, 17)
    dst = F.erase(F.pil_to_tensor(Image.fromarray(src)), y, x, h, w, 255).numpy().transpose(1, 2, 0)
    rows.append({"Name": "Erase", "Args": [y, x, h, w], "In": [12, 17], "Pix": planes(src), "Out": [12, 17], "Want": planes(dst)})

print(json.dumps({"By": f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}", "Rows": rows}, indent=0))
