"""Small JPEG files of every kind, and the pixels that Pillow reads in them: jpegs.json. Given the ants and bees
(hymenoptera_data.zip), also a sum of the pixels of each: hymenoptera.txt.

    python jpegs.py [hymenoptera_data.zip]   # Pillow 13.0.0 with libjpeg-turbo 3.2.0, cjpeg of libjpeg-turbo 2.1.5

Sums are CRC-32 of the planes, one after the other: of one for gray files, of four for CMYK, otherwise of red, green and blue.
"""
import base64, io, json, os, random, subprocess, sys, tempfile, zipfile, zlib
import PIL
from PIL import Image, features

here = os.path.dirname(os.path.abspath(__file__))
chance = random.Random(9)
rows = []


def picture(w, h, hard):
    """Colours that change slowly, with noise; or, where hard, black and white at random, which overshoots."""
    img = Image.new("RGB", (max(w // 5, 1) + 1, max(h // 5, 1) + 1))
    img.putdata([tuple(chance.choice((0, 255)) if hard else chance.randrange(256) for _ in range(3)) for _ in range(img.width * img.height)])
    img = img.resize((w, h), Image.NEAREST if hard else Image.BICUBIC)
    return img.point(lambda v: v if hard else min(max(v + chance.randrange(-12, 12), 0), 255))


def planes(img):
    return b"".join(p.tobytes() for p in img.split())


def add(name, data, unsupported=False):
    row = dict(Name=name, File=base64.b64encode(data).decode(), Unsupported=unsupported)
    if not unsupported:
        img = Image.open(io.BytesIO(data))
        if img.mode not in ("L", "CMYK"):
            img = img.convert("RGB")
        row.update(W=img.width, H=img.height, Sum=zlib.crc32(planes(img)))
    rows.append(row)


def pillow(name, w, h, mode="RGB", hard=False, unsupported=False, **options):
    f = io.BytesIO()
    picture(w, h, hard).convert(mode).save(f, "JPEG", **options)
    add(f"{name} {w}x{h}", f.getvalue(), unsupported)


def cjpeg(name, w, h, *options, unsupported=False):
    f = io.BytesIO()
    picture(w, h, False).save(f, "PPM")
    add(f"{name} {w}x{h}", subprocess.run(["cjpeg", *options], input=f.getvalue(), stdout=subprocess.PIPE, check=True).stdout, unsupported)


SIZES = [(1, 1), (2, 1), (1, 2), (3, 3), (4, 5), (5, 4), (7, 9), (8, 8), (9, 16), (16, 16), (17, 33), (33, 17), (40, 25)]
QUALITIES = [95, 10, 100]
for s, name in enumerate(("4:4:4", "4:2:2", "4:2:0")):
    for i, (w, h) in enumerate(SIZES):
        pillow(f"{name} quality {QUALITIES[(i + s) % 3]}", w, h, subsampling=s, quality=QUALITIES[(i + s) % 3])
    for q in QUALITIES:
        pillow(f"{name} black and white quality {q}", 33, 29, hard=True, subsampling=s, quality=q)
    for w, h in ((1, 1), (17, 33), (35, 20)):
        pillow(f"{name} progressive", w, h, subsampling=s, quality=90, progressive=True)
    pillow(f"{name} optimised", 33, 18, subsampling=s, quality=85, optimize=True)
    pillow(f"{name} restart each block", 37, 21, subsampling=s, quality=85, restart_marker_blocks=1)
    pillow(f"{name} restart each 3 blocks, progressive", 37, 35, subsampling=s, quality=85, restart_marker_blocks=3, progressive=True)
    pillow(f"{name} restart each row", 20, 70, subsampling=s, quality=30, restart_marker_rows=1)
for w, h in SIZES:
    pillow("gray", w, h, mode="L", quality=85)
pillow("gray progressive", 33, 17, mode="L", progressive=True)
pillow("RGB", 19, 11, quality=90, keep_rgb=True)
pillow("RGB progressive", 19, 11, quality=90, keep_rgb=True, progressive=True)
pillow("CMYK", 19, 11, mode="CMYK")
for sample in ("1x2", "4x1", "1x4", "4x2", "2x4", "3x1", "1x3", "2x2,1x2,2x1", "2x2,2x2,1x1", "1x1,2x2,2x2", "1x1,2x1,1x2"):
    for w, h in ((1, 1), (5, 6), (34, 37)):
        cjpeg(f"luma {sample}", w, h, "-quality", "90", "-sample", sample)
    cjpeg(f"luma {sample} progressive", 34, 37, "-quality", "90", "-progressive", "-sample", sample)
cjpeg("arithmetic", 20, 20, "-arithmetic", unsupported=True)
with tempfile.NamedTemporaryFile("w") as scans:
    scans.write("0; 1; 2;")
    scans.flush()
    for w, h in ((1, 1), (34, 37)):
        cjpeg("a scan for each component", w, h, "-quality", "90", "-scans", scans.name)
        cjpeg("a scan for each component, restarts", w, h, "-quality", "90", "-restart", "2B", "-scans", scans.name)
cjpeg("16-bit tables", 34, 37, "-quality", "1")

by = f"Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}"
with open(os.path.join(here, "jpegs.json"), "w") as f:
    json.dump(dict(By=by, Rows=rows), f, indent=0)
    f.write("\n")

if len(sys.argv) > 1:
    with zipfile.ZipFile(sys.argv[1]) as z, open(os.path.join(here, "hymenoptera.txt"), "w") as f:
        for name in sorted(z.namelist()):
            if name.lower().endswith(".jpg"):
                img = Image.open(io.BytesIO(z.read(name))).convert("RGB")
                print(f"{zlib.crc32(planes(img)):08x} {name}", file=f)
