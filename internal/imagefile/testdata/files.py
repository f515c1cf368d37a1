"""Small picture files and what Pillow reads in them: files.json.

    python files.py        # Pillow 13.0.0

Pixels are given as the SHA-256 of convert("RGB").tobytes().
"""
import base64, hashlib, io, json, os, struct, zlib
import numpy as np
import PIL
from PIL import Image

rows = []


def picture(w=23, h=17, mode="RGB", seed=7):
    """A smooth picture with some noise, every channel its own."""
    rng = np.random.default_rng(seed)
    n = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    y, x = np.mgrid[:h, :w]
    a = np.stack([128 + 100 * np.sin(x / (3 + c) + c) * np.cos(y / (4 - c / 2) - c) for c in range(n)], -1)
    a = np.clip(a + rng.normal(0, 9, a.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(a[..., 0] if n == 1 else a, mode)


def add(name, data):
    img = Image.open(io.BytesIO(data))
    img.load()
    rows.append(dict(
        Name=name, Format=img.format, Mode=img.mode, Width=img.width, Height=img.height,
        Orientation=img.getexif().get(0x0112, 1), File=base64.b64encode(data).decode(),
        RGB=hashlib.sha256(img.convert("RGB").tobytes()).hexdigest()))


def save(name, img, format, **options):
    f = io.BytesIO()
    img.save(f, format, **options)
    add(name, f.getvalue())


def webp():
    for w, h in ((1, 1), (2, 1), (1, 2), (2, 2), (3, 5), (23, 17), (32, 33)):
        save(f"lossy {w}x{h}", picture(w, h), "WEBP", quality=40)
    save("lossy with alpha", picture(mode="RGBA"), "WEBP", quality=40)
    save("lossy with coarse alpha", picture(mode="RGBA"), "WEBP", quality=40, alpha_quality=20, exact=True)
    save("lossless", picture(), "WEBP", lossless=True)
    save("lossless with alpha", picture(mode="RGBA"), "WEBP", lossless=True, exact=True)
    save("animated", picture(), "WEBP", quality=40, save_all=True, append_images=[picture(seed=8)])
    save("animated, lossless with alpha", picture(mode="RGBA"), "WEBP", lossless=True, save_all=True,
         append_images=[picture(mode="RGBA", seed=8)])

    def chunk(kind, body):
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    f = io.BytesIO()
    picture(8, 6).save(f, "WEBP", quality=40)
    frame = chunk(b"ANMF", struct.pack("<I", 2)[:3] + struct.pack("<I", 1)[:3] + struct.pack("<I", 7)[:3] + struct.pack("<I", 5)[:3]
                  + struct.pack("<I", 100)[:3] + b"\0" + f.getvalue()[12:])
    for flags in (2, 2 + 16):
        head = chunk(b"VP8X", bytes([flags, 0, 0, 0]) + struct.pack("<I", 19)[:3] + struct.pack("<I", 11)[:3])
        body = b"WEBP" + head + chunk(b"ANIM", b"\x10\x20\x30\xff\0\0") + frame
        add(f"first frame smaller than the canvas, flags {flags}", b"RIFF" + struct.pack("<I", len(body)) + body)


webp()

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files.json")
with open(out, "w") as f:
    json.dump(dict(By=f"Pillow {PIL.__version__}", Rows=rows), f, indent=0)
    f.write("\n")
