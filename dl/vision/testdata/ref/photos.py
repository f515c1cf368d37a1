"""Picture files as Pillow writes them, and what Pillow reads in them: photos.json.

    python photos.py        # Pillow 13.0.0
"""
import base64, io, json, os
import PIL
from PIL import Image, ImageOps

H, W = 4, 6
rows = []


def picture(mode):
    img = Image.new("RGB", (W, H))
    img.putdata([((40 * x) % 256, (60 * y) % 256, (7 * (x + W * y)) % 256) for y in range(H) for x in range(W)])
    if mode == "RGBA":
        img.putalpha(Image.new("L", (W, H), 128))
        return img
    return img.quantize(16) if mode == "P" else img.convert(mode)


def add(format, mode, orientation=1, lossless=True, **options):
    img = picture(mode)
    if orientation != 1:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    f = io.BytesIO()
    img.save(f, format, **options)
    back = Image.open(io.BytesIO(f.getvalue()))
    back.load()  # a TIFF file is turned upright by this
    upright = ImageOps.exif_transpose(back).convert("RGB")
    row = dict(Format=back.format, Mode=back.mode, Width=back.width, Height=back.height, Orientation=back.getexif().get(0x0112, 1),
               File=base64.b64encode(f.getvalue()).decode(), UprightWidth=upright.width, UprightHeight=upright.height)
    if lossless:
        row["RGB"] = base64.b64encode(back.convert("RGB").tobytes()).decode()
        row["Upright"] = base64.b64encode(upright.tobytes()).decode()
    rows.append(row)


for o in range(1, 9):
    add("PNG", "RGB", o)
for o in (3, 6):
    add("JPEG", "RGB", o)
    add("WEBP", "RGB", o, lossless=False)
    add("TIFF", "RGB", o)
for mode in ("L", "P", "RGBA"):
    add("PNG", mode)
add("GIF", "P")
add("BMP", "RGB")
add("TIFF", "L")
add("JPEG", "L")
add("JPEG", "CMYK", lossless=False)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "photos.json")
with open(out, "w") as f:
    json.dump(dict(By=f"Pillow {PIL.__version__}", Rows=rows), f, indent=1)
    f.write("\n")
