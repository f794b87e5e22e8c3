"""A network and a data set small enough for tests, made on the spot."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet, CLNetSpec
from model.training.config import DataSpec, OptimSpec, RunSpec

INPUTS = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, ground_vertical_deg=None)
SPEC = CLNetSpec(backbone="test_convnext", levels=(1, 2), dim=16, nec_hidden=8)


def tiny_net(seed: int = 0, **change) -> CLNet:
    torch.manual_seed(seed)
    return CLNet(CLNetSpec(**{**SPEC.__dict__, **change}), INPUTS).eval()


def tiny_run(**optim) -> RunSpec:
    options = {"steps": 6, "batch": 4, "warmup_steps": 2, "eval_every": 6, "save_every": 2, "precision": "float32"}
    return RunSpec("tiny", SPEC, INPUTS, DataSpec("a", "b", workers=0), OptimSpec(**{**options, **optim}))


def write_pairs(folder: Path, count: int = 8, distractors: int = 2) -> Path:
    """Pairs whose two views share one plain colour; returns the manifest."""
    random = np.random.default_rng(0)
    lines = ["query,reference,lat,lon"]
    for number in range(count + distractors):
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        Image.new("RGB", (40, 40), colour).save(folder / f"tile{number}.png")
        query = ""
        if number < count:
            query = f"pano{number}.png"
            Image.new("RGB", (80, 40), colour).save(folder / query)
        lines.append(f"{query},tile{number}.png,{47 + number / 1000},8.5")
    path = folder / "pairs.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
