"""A checkpoint bundle with random weights: small, quick, and real enough for the command line."""

from __future__ import annotations

from pathlib import Path

import torch

from model.inputs.transforms import InputSpec
from model.network.checkpoints import save_bundle
from model.network.clnet import CLNet, CLNetSpec


def write_bundle(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    spec = CLNetSpec(backbone="convnext_atto", levels=(0,), dim=32, nec_hidden=8)
    net = CLNet(spec, InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64))
    save_bundle(folder, net, name=folder.name, provenance={}, metrics={})
    return folder
