"""Writes testdata/events with PyTorch's SummaryWriter: what board_test.go writes with ours.

Made with torch 2.15.0 and tensorboard 2.21.0: python events.py
"""
import os
import shutil

import numpy as np
from torch.utils.tensorboard import SummaryWriter

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "events")
shutil.rmtree(here, ignore_errors=True)
w = SummaryWriter(here)
w.add_scalar("train/loss", 2.5, 0)
w.add_scalar("train/loss", 1.25, 1)
w.add_scalar("negative step", -3, -1)
w.add_scalars("speed/both", {"go": 3.0, "python": 2.0}, 7)
w.add_text("notes", "**lr** 0.01 — größer", 2)
values = np.array([((i * 37) % 101 - 50) / 8 for i in range(200)] + [0, 2**-10, -(2**-10), 1024])  # sums are exact
w.add_histogram("weights", values, 3)
grid = np.array([((i * 53) % 256) / 255 for i in range(10 * 3 * 4 * 5)], dtype=np.float32).reshape(10, 3, 4, 5)
w.add_image("chw", grid[0], 4)
w.add_image("hwc", np.ascontiguousarray(grid[0].transpose(1, 2, 0)), 4, dataformats="HWC")
w.add_image("hw", (grid[0, 0] * 255).astype(np.uint8), 4, dataformats="HW")
w.add_images("nchw", grid, 5)
w.add_images("gray", np.ascontiguousarray(grid[:, :1].transpose(0, 2, 3, 1)), 5, dataformats="NHWC")
w.add_hparams({"lr": 0.01}, {"hparam/accuracy": 0.75}, run_name="run")
w.close()
for folder, _, names in os.walk(here):
    for name in names:
        os.rename(os.path.join(folder, name), os.path.join(folder, "events.out.tfevents.0000000001"))
