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


def add(name, data, like=None):
    """A file; Pillow reads another with the same pixels where it cannot read this one."""
    img = Image.open(io.BytesIO(like or data))
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


def tiff(tags, chunks, order="<", big=False, offsets=273, counts=279):
    """A TIFF file of tags {number: (type, values)} and strips or tiles."""
    codes = {1: "B", 2: "c", 3: "H", 4: "I", 7: "B", 16: "Q"}
    head = 16 if big else 8
    body, at = b"".join(chunks), []
    for c in chunks:
        at.append(head + sum(map(len, chunks[:len(at)])))
    tags = dict(tags)
    tags[offsets], tags[counts] = (4, at), (4, [len(c) for c in chunks])
    body += b"\0" * (len(body) % 2)
    word = "Q" if big else "I"
    entries, more = b"", b""
    size = len(tags) * (20 if big else 12) + (16 if big else 6)
    for tag in sorted(tags):
        kind, values = tags[tag]
        values = values if isinstance(values, (list, tuple)) else [values]
        data = struct.pack(order + codes[kind] * len(values), *values)
        if len(data) > (8 if big else 4):
            where = head + len(body) + size + len(more)
            more += data
            data = struct.pack(order + word, where)
        entries += struct.pack(order + "HH" + word, tag, kind, len(values)) + data.ljust(8 if big else 4, b"\0")
    magic = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    if big:
        magic += struct.pack(order + "HH", 8, 0)
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    return magic + struct.pack(order + word, head + len(body)) + body + count + entries + struct.pack(order + word, 0) + more


def tiffs():
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"):
        img = picture(mode=mode) if mode not in "1P" else picture().convert(mode)
        for compression in ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "zstd"):
            save(f"{mode} {compression}", img, "TIFF", compression=compression)
    gray16 = Image.fromarray(np.arange(23 * 17, dtype="<u2").reshape(17, 23) * 157)
    for compression in ("raw", "tiff_lzw", "zstd"):
        save(f"I;16 {compression}", gray16, "TIFF", compression=compression)
        save(f"I {compression}", Image.fromarray(np.arange(-200, 191, dtype="<i4").reshape(17, 23) * 3), "TIFF", compression=compression)
        save(f"F {compression}", Image.fromarray(np.linspace(-20, 300, 391, dtype="<f4").reshape(17, 23)), "TIFF", compression=compression)
    for options in (0, 1, 4, 5):
        save(f"1 group3, options {options}", picture(75, 40).convert("1"), "TIFF", compression="group3", tiffinfo={292: options})
    for compression in ("tiff_ccitt", "group3", "group4"):
        save(f"1 {compression}", picture(48, 40).convert("1", dither=0), "TIFF", compression=compression)
        save(f"1 {compression}, white is 0", picture(48, 40).convert("1", dither=0), "TIFF", compression=compression, tiffinfo={262: 0})
    for mode in ("L", "RGB"):
        save(f"{mode} jpeg", picture(40, 33, mode), "TIFF", compression="jpeg", quality=80)
    save("RGB lzw, predictor", picture(), "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    for o in range(2, 9):
        save(f"turned {o}", picture(), "TIFF", tiffinfo={274: o})
    save("I;16, turned 6", gray16, "TIFF", tiffinfo={274: 6})

    w, h = 20, 18
    a = np.asarray(picture(w, h, "RGBA"))
    wide = a.astype(np.uint16) * 257 - 100

    def tags(bits, samples, photometric, compression=1, **more):
        t = {256: (3, w), 257: (3, h), 258: (3, [bits] * samples), 259: (3, compression), 262: (3, photometric), 277: (3, samples), 278: (3, 5)}
        t.update({int(k[1:]): v for k, v in more.items()})
        return t

    def strips(rows, squeeze=False):  # five rows each
        parts = [rows[y:y + 5].tobytes() for y in range(0, h, 5)]
        return [zlib.compress(p) for p in parts] if squeeze else parts

    def tiles(rows, squeeze=False):  # 16 x 16, the last ones filled up
        full = np.zeros((32, 32) + rows.shape[2:], rows.dtype)
        full[:h, :w] = rows
        parts = [full[y:y + 16, x:x + 16].tobytes() for y in (0, 16) for x in (0, 16)]
        return [zlib.compress(p) for p in parts] if squeeze else parts

    tile = dict(t322=(3, 16), t323=(3, 16))
    tiled = dict(offsets=324, counts=325)
    for order in "<>":
        deep = wide.astype(order + "u2")
        add(f"RGB of 16 bits {order}", tiff(tags(16, 3, 2), strips(deep[..., :3]), order))
        add(f"RGBA of 16 bits {order}", tiff(tags(16, 4, 2, t338=(3, 2)), strips(deep), order))
        add(f"RGB of 16 bits with associated alpha {order}", tiff(tags(16, 4, 2, t338=(3, 1)), strips(deep), order))
        add(f"CMYK of 16 bits {order}", tiff(tags(16, 4, 5), strips(deep), order))
        add(f"gray of 16 bits {order}", tiff(tags(16, 1, 1), strips(deep[..., 0] // 200), order))
        add(f"gray of 16 bits with a sign {order}", tiff(tags(16, 1, 1, t339=(3, 2)), strips(deep[..., 0] // 200), order))
        add(f"gray of 16 bits, squeezed {order}", tiff(tags(16, 1, 1, 8), strips(deep[..., 0] // 200, True), order))
        difference = deep.copy()
        difference[:, 1:] -= deep[:, :-1]
        add(f"RGB of 16 bits, predictor {order}", tiff(tags(16, 3, 2, 8, t317=(3, 2)), strips(difference[..., :3], True), order))
        planes = sum((strips(deep[..., c], True) for c in range(3)), [])
        add(f"planes of 16 bits in strips {order}", tiff(tags(16, 3, 2, 8, t284=(3, 2)), planes, order))
        planes = sum((tiles(deep[..., c], True) for c in range(3)), [])
        add(f"planes of 16 bits in tiles {order}", tiff(tags(16, 3, 2, 8, t284=(3, 2), **tile), planes, order, **tiled))
        f = np.linspace(-20, 300, w * h, dtype=order + "f4").reshape(h, w)
        b = f.astype(">f4").view(np.uint8).reshape(h, w, 4).transpose(0, 2, 1).reshape(h, 4 * w)
        d = b.copy()
        d[:, 1:] -= b[:, :-1]
        add(f"floating point with a predictor {order}", tiff(tags(32, 1, 1, 8, t317=(3, 3), t339=(3, 3)), strips(d, True), order),
            tiff(tags(32, 1, 1, t339=(3, 3)), strips(f), order))
        add(f"BigTIFF {order}", tiff(tags(8, 3, 2), strips(a[..., :3]), order, big=True), tiff(tags(8, 3, 2), strips(a[..., :3]), order))
    for samples, extra in ((3, None), (4, 0), (4, 1), (4, 2)):
        t = dict(t338=(3, extra)) if extra is not None else {}
        squeeze = extra in (0, 1)  # which Pillow reads only so
        planes = sum((strips(a[..., c], squeeze) for c in range(samples)), [])
        add(f"planes in strips, {samples} samples, extra {extra}", tiff(tags(8, samples, 2, 8 if squeeze else 1, t284=(3, 2), **t), planes))
        add(f"in tiles, {samples} samples, extra {extra}", tiff(tags(8, samples, 2, 8, **t, **tile), tiles(a[..., :samples], True), **tiled))
    planes = sum((tiles(a[..., c]) for c in range(3)), [])
    add("planes in tiles", tiff(tags(8, 3, 2, t284=(3, 2), **tile), planes, **tiled))
    add("RGB and two more samples", tiff(tags(8, 5, 2, t338=(3, [0, 0])), strips(np.concatenate([a, a[..., :1]], -1))))
    add("gray with associated alpha", tiff(tags(8, 2, 1, t338=(3, 2)), strips(a[..., :2])))
    add("gray with a sign", tiff(tags(8, 1, 1, t339=(3, 2)), strips(a[..., 0])))
    add("YCbCr, not subsampled", tiff(tags(8, 3, 6, 8, t530=(3, [1, 1])), strips(a[..., :3], True)))

    def packed(bits):  # samples of fewer than eight bits, rows of whole bytes
        v = a[..., 0] >> (8 - bits)
        return np.packbits(np.unpackbits(v[..., None], axis=-1)[..., 8 - bits:].reshape(h, -1), axis=-1)

    for bits in (1, 2, 4):
        for photometric in (0, 1, 3):
            t = dict(t320=(3, list(range(0, 65536, 65536 // (3 << bits)))[:3 << bits])) if photometric == 3 else {}
            add(f"{bits} bits, photometric {photometric}", tiff(tags(bits, 1, photometric, **t), strips(packed(bits))))
        turned = np.packbits(np.unpackbits(packed(bits)[..., None], axis=-1)[..., ::-1], axis=-1)[..., 0]
        add(f"{bits} bits, lowest first", tiff(tags(bits, 1, 1, t266=(3, 2)), strips(turned)))
    v = (wide[..., 0] >> 4).astype(np.uint32)
    pairs = (v[:, 0::2] << 12 | v[:, 1::2])
    twelve = np.stack([pairs >> 16, pairs >> 8 & 255, pairs & 255], -1).astype(np.uint8).reshape(h, -1)
    add("12 bits", tiff(tags(12, 1, 1), strips(twelve)))


def ppms():
    for mode in ("1", "L", "RGB"):
        save(f"raw {mode}", picture(13, 9).convert(mode), "PPM")
    save("raw I;16", Image.fromarray(np.arange(117, dtype="<u2").reshape(9, 13) * 300), "PPM")
    save("F", Image.fromarray(np.linspace(-20, 300, 117, dtype="<f4").reshape(9, 13)), "PPM")
    text = " ".join(map(str, range(18))).encode()
    for kind, channels in ((b"P2", 1), (b"P3", 3)):
        for maxval in (17, 255, 300, 65535):
            size = b"%d 3" % (6 // channels)
            add(f"plain {kind.decode()} {maxval}", kind + b"\n# a comment\n" + size + b"\n%d # another\n" % maxval + text)
    for kind, channels in ((b"P5", 1), (b"P6", 3)):
        for maxval in (1, 17, 254, 255, 256, 1000, 65535):
            v = np.arange(18) * maxval // 17
            data = v.astype("u1" if maxval < 256 else ">u2").tobytes()
            add(f"raw {kind.decode()} {maxval}", kind + b" %d\t3\r%d\n" % (6 // channels, maxval) + data + b"more")
    add("plain P1", b"P1 7 3\n0110101 1 1 0 # 1\n1 0 0 1 0101010")
    add("big-endian Pf", b"Pf\n3 2\n1.0\n" + np.array([1, 2, 300, -4, 5.9, 6], ">f4").tobytes())


def bmps():
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        img = picture(mode=mode) if mode in ("L", "RGB", "RGBA") else picture().convert(mode)
        save(mode, img, "BMP")

    def bmp(w, h, bits, data, size=40, compression=0, palette=b"", masks=b"", colours=0):
        if size == 12:
            head = struct.pack("<IHHHH", 12, w, h, 1, bits)
        else:
            head = struct.pack("<IiiHHIIIIII", size, w, h, 1, bits, compression, len(data), 0, 0, colours, 0)
        if size > 40:
            head = (head + masks).ljust(size, b"\0")
            masks = b""
        start = 14 + len(head) + len(masks) + len(palette)
        return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + head + masks + palette + data

    rng = np.random.default_rng(3)
    w, h = 11, 6
    colours = rng.integers(0, 256, (16, 4), dtype=np.uint8)
    four = lambda n: colours[:n].tobytes()
    three = lambda n: colours[:n, :3].tobytes()

    def rows(bits):
        return rng.integers(0, 256, (h, (w * bits + 31) // 32 * 4), dtype=np.uint8).tobytes()

    for bits in (1, 4):
        add(f"{bits} bits", bmp(w, h, bits, rows(bits), palette=four(1 << bits)))
        add(f"{bits} bits, OS/2", bmp(w, h, bits, rows(bits), size=12, palette=three(1 << bits)))
        add(f"{bits} bits, OS/2 2", bmp(w, h, bits, rows(bits), size=64, palette=four(1 << bits)))
    add("8 bits, few colours", bmp(w, h, 8, bytes(range(12)) * h, palette=four(5), colours=5))
    add("top down", bmp(w, -h, 24, rows(24)))
    add("24 bits, OS/2", bmp(w, h, 24, rows(24), size=12))
    add("16 bits", bmp(w, h, 16, rows(16)))
    for name, bits, masks in (("565", 16, (0xF800, 0x7E0, 0x1F)), ("555", 16, (0x7C00, 0x3E0, 0x1F)), ("888", 32, (0xFF0000, 0xFF00, 0xFF)),
                              ("XBGR", 32, (0xFF000000, 0xFF0000, 0xFF00)), ("BGXR", 32, (0xFF000000, 0xFF00, 0xFF))):
        m = struct.pack("<III", *masks)
        add(f"fields {name}", bmp(w, h, bits, rows(bits), compression=3, masks=m))
        add(f"fields {name}, version 5", bmp(w, h, bits, rows(bits), size=124, compression=3, masks=m))
    for masks in ((0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF000000, 0xFF0000, 0xFF00, 0xFF)):
        for size in (56, 108, 124):
            add(f"alpha {masks[0]:x}, header of {size}", bmp(w, h, 32, rows(32), size=size, compression=3, masks=struct.pack("<IIII", *masks)))
    add("32 bits without fields", bmp(w, h, 32, rows(32)))
    run8 = b"\x05\x02\x00\x06\x01\x02\x03\x04\x05\x06\x00\x00" + b"\x0b\x07\x00\x00" + b"\x03\x01\x00\x02\x04\x01" + b"\x04\x09\x00\x00"
    run8 += b"\x00\x05\x01\x02\x03\x04\x05\x00\x06\x0a" + b"\x00\x00\x0b\x03\x00\x00" * 2 + b"\x0b\x08\x00\x01"
    add("RLE8", bmp(w, 7, 8, run8, compression=1, palette=four(16) + bytes(4 * 240)))
    run4 = b"\x05\x12\x00\x06\x12\x34\x56\x00\x00\x00" + b"\x0b\x78\x00\x00" + b"\x03\x12\x00\x02\x04\x00\x04\x9a\x00\x00" + b"\x0b\xbc\x00\x01"
    add("RLE4", bmp(w, 4, 4, run4, compression=2, palette=four(16)))


def gifs():
    save("gray", picture(mode="L"), "GIF")
    save("palette", picture().convert("P", palette=Image.Palette.ADAPTIVE, colors=37), "GIF")
    save("interlaced", picture(23, 37).convert("P"), "GIF", interlace=1)
    save("not interlaced", picture(23, 37).convert("P"), "GIF", interlace=0)
    for n in (0, 1, 5):
        save(f"transparent {n}", picture().convert("P", palette=Image.Palette.ADAPTIVE, colors=8), "GIF", transparency=n)
    save("animated", picture().convert("P"), "GIF", save_all=True, append_images=[picture(seed=8).convert("P")])
    f = io.BytesIO()
    picture(9, 7).convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(f, "GIF", transparency=3)
    data = bytearray(f.getvalue())
    at = data.index(b",\0\0\0\0\x09\0\x07\0")
    data[at + 1:at + 5] = struct.pack("<HH", 5, 4)
    add("beyond the screen", bytes(data))
    data[6:10] = struct.pack("<HH", 20, 15)
    add("smaller than the screen", bytes(data))
    control = data.index(b"!\xf9")
    data[control + 3] &= 0xFE
    add("smaller than the screen, not transparent", bytes(data))
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 90), dtype=np.uint8))
    save("noise, whose table of codes is full", noise.convert("P"), "GIF")


def png(w, h, depth, kind, rows, *chunks):
    """A PNG file of rows of bytes, with other chunks (kind, body) before them."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    data = zlib.compress(b"".join(b"\0" + r for r in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, kind, 0, 0, 0))
            + b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def pngs():
    rng = np.random.default_rng(5)
    for kind, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
        for depth in (8, 16):
            a = rng.integers(0, 1 << depth, (9, 7, channels)).astype(">u2" if depth == 16 else "u1")
            a[0, 0] = 0
            if channels in (2, 4):
                a[:, :3, -1] //= 100  # nearly and wholly transparent
                a[:3, :, -1] = 0
            rows = [r.tobytes() for r in a]
            add(f"{depth} bits of kind {kind}", png(7, 9, depth, kind, rows))
            if channels in (1, 3):
                key = b"".join(struct.pack(">H", int(v)) for v in a[4, 4])
                add(f"{depth} bits of kind {kind} with a transparent colour", png(7, 9, depth, kind, rows, (b"tRNS", key)))
    for depth in (1, 2, 4):
        rows = [rng.integers(0, 256, depth, dtype=np.uint8).tobytes() for _ in range(5)]
        add(f"gray of {depth} bits", png(8, 5, depth, 0, rows))
        add(f"gray of {depth} bits with a transparent one", png(8, 5, depth, 0, rows, (b"tRNS", b"\0\1")))
        colours = rng.integers(0, 256, 3 << depth, dtype=np.uint8).tobytes()
        add(f"palette of {depth} bits", png(8, 5, depth, 3, rows, (b"PLTE", colours), (b"tRNS", b"\0\x80")))


XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description %s</rdf:RDF></x:xmpmeta>'
ATTRIBUTE, ELEMENT = XMP % 'tiff:Orientation="6"/>', XMP % "><tiff:Orientation>8</tiff:Orientation></rdf:Description>"


def exif(kind, value, order="<"):
    codes = {3: "H2x", 4: "I", 8: "h2x", 9: "i"}
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "HHHI" + codes[kind], 1, 0x112, kind, 1, value) + b"\0" * 4


def turned():
    img = picture(8, 5)
    f = io.BytesIO()
    img.save(f, "JPEG", subsampling=0)
    jpeg = f.getvalue()

    def app1(*bodies):
        return jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(b) + 2) + b for b in bodies) + jpeg[2:]

    adobe = b"http://ns.adobe.com/xap/1.0/\0"
    for order in "<>":
        for kind in (3, 4, 8, 9):
            add(f"Exif, type {kind} {order}", app1(b"Exif\0\0" + exif(kind, 6, order)))
    add("XMP, attribute", app1(adobe + ATTRIBUTE.encode()))
    add("XMP, element", app1(adobe + ELEMENT.encode()))
    add("Exif before XMP", app1(adobe + ATTRIBUTE.encode(), b"Exif\0\0" + exif(3, 3)))
    add("Exif of no sense", app1(adobe + ATTRIBUTE.encode(), b"Exif\0\0" + exif(3, 1)))
    rows = [bytes(range(3 * y, 3 * y + 9)) for y in range(4)]
    data = exif(3, 6)
    raw = b"\nexif\n%8d\n" % (len(data) + 6) + (b"Exif\0\0" + data).hex().encode() + b"\n"
    wide = "\n".join(raw.decode().split("\n")[:3] + [data.hex()[i:i + 20] for i in range(0, 2 * len(data), 20)]).encode()
    for name, chunk in (("tEXt", b"Raw profile type exif\0" + raw), ("tEXt", b"Raw profile type exif\0" + wide),
                        ("zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)), ("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + ATTRIBUTE.encode()),
                        ("iTXt", b"XML:com.adobe.xmp\0\1\0en\0x\0" + zlib.compress(ELEMENT.encode())), ("eXIf", exif(4, 7, ">"))):
        add(f"turned by {name}, {len(chunk)} bytes", png(3, 4, 8, 2, rows, (name.encode(), chunk)))
    save("turned by Exif", img, "WEBP", lossless=True, exif=exif(3, 5))
    save("turned by XMP", img, "WEBP", lossless=True, xmp=ELEMENT.encode())


def jpegs():
    save("CMYK", picture(mode="CMYK"), "JPEG")


webp()
tiffs()
ppms()
bmps()
gifs()
pngs()
turned()
jpegs()

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files.json")
with open(out, "w") as f:
    json.dump(dict(By=f"Pillow {PIL.__version__}", Rows=rows), f, indent=0)
    f.write("\n")
