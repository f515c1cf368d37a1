"""Writes weights.json: where torchvision publishes the weights of this package's networks, and what it says of them.

Made with torchvision 0.29.2: python weights.py
"""
import json
import os

import torchvision.models as models

NAMES = ["AlexNet_Weights.IMAGENET1K_V1", "VGG16_Weights.IMAGENET1K_V1", "VGG16_BN_Weights.IMAGENET1K_V1", "ResNet18_Weights.IMAGENET1K_V1",
         "ResNet34_Weights.IMAGENET1K_V1", "ResNet50_Weights.IMAGENET1K_V1", "ResNet50_Weights.IMAGENET1K_V2"]

table = []
for name in NAMES:
    w = models.get_weight(name)
    prepare = w.transforms()
    table.append({"name": name, "url": w.url, "params": w.meta["num_params"], "mebibytes": w.meta["_file_size"],
                  "resize": prepare.resize_size[0], "crop": prepare.crop_size[0], "mean": prepare.mean, "std": prepare.std,
                  "antialias": prepare.antialias, "first": w.meta["categories"][0], "last": w.meta["categories"][-1]})
with open(os.path.join(os.path.dirname(__file__), "weights.json"), "w") as f:
    json.dump(table, f, indent=1)
    f.write("\n")
