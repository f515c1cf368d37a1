"""Writes ../cifarpy.json: small folders of CIFAR's Python version, in each protocol of pickle and as Python 2 wrote the
published ones, with what torchvision reads of them. Made with numpy and torchvision 0.29.2: python cifarpy.py

The MD5s that torchvision checks are left aside, since these files are not the published ones."""
import base64
import io
import json
import os
import pickle
import struct
import tempfile
import zlib

import numpy as np
import torchvision

os.chdir(os.path.dirname(os.path.abspath(__file__)))
torchvision.datasets.cifar.check_integrity = lambda path, md5=None: os.path.exists(path)
rng = np.random.default_rng(0)


class Python2(pickle._Pickler):
    """Writes texts and bytes as cPickle of Python 2 writes its str."""
    dispatch = dict(pickle._Pickler.dispatch)

    def save_str(self, obj):
        b = obj if isinstance(obj, bytes) else obj.encode("latin1")
        self.write(b"U" + bytes([len(b)]) + b if len(b) < 256 else b"T" + struct.pack("<i", len(b)) + b)
        self.memoize(obj)

    dispatch[str] = save_str
    dispatch[bytes] = save_str


def dumps(value, protocol):
    if protocol != "Python 2":
        return pickle.dumps(value, protocol)
    b = io.BytesIO()
    Python2(b, 2).dump(value)
    return b.getvalue().replace(b"numpy._core.", b"numpy.core.")


def batch(n, **labels):
    pixels = np.repeat(rng.integers(0, 256, (n, 96), dtype=np.uint8), 32, axis=1)  # rows of one colour, which compress
    return {"batch_label": "testing batch", **labels, "data": pixels, "filenames": [f"{i}.png" for i in range(n)]}


rows = []
for protocol in ["Python 2", 0, 1, 2, 3, 4, 5]:
    files = {}
    for i in range(1, 6):
        files[f"cifar-10-batches-py/data_batch_{i}"] = batch(2, labels=[i, 9 - i])
    files["cifar-10-batches-py/test_batch"] = batch(3, labels=[9, 0, 3])
    files["cifar-10-batches-py/batches.meta"] = {"num_cases_per_batch": 10000, "label_names": ["airplane"] * 10, "num_vis": 3072}
    files["cifar-100-python/train"] = batch(2, fine_labels=[99, 1], coarse_labels=[19, 2])
    files["cifar-100-python/test"] = batch(1, fine_labels=[50], coarse_labels=[7])
    files["cifar-100-python/meta"] = {"fine_label_names": [f"fine{i}" for i in range(100)], "coarse_label_names": [f"coarse{i}" for i in range(20)]}
    files = {name: dumps(value, protocol) for name, value in files.items()}
    want = {}
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            open(os.path.join(root, name), "wb").write(content)
        for kind in [torchvision.datasets.CIFAR10, torchvision.datasets.CIFAR100]:
            for train in [True, False]:
                d = kind(root, train=train)
                want[f"{kind.__name__} {train}"] = {"labels": [int(t) for t in d.targets], "crc": zlib.crc32(np.ascontiguousarray(d.data.transpose(0, 3, 1, 2)).tobytes())}
    rows.append({"protocol": str(protocol), "files": {n: base64.b64encode(zlib.compress(c, 9)).decode() for n, c in files.items()}, "want": want})
with open("../cifarpy.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
