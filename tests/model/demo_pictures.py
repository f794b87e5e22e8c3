"""Random pictures of the sizes that the packaged bundle wants, whatever they are."""

import numpy as np
from numpy.typing import NDArray

from model.network.bundle_files import read_bundle_info

__all__ = ["canvases", "tiles"]


def canvases(count: int) -> NDArray[np.uint8]:
    """uint8 [B, H, W, 3]."""
    width, height = read_bundle_info("demo").inputs.ground_size_px
    return np.random.default_rng(0).integers(0, 255, (count, height, width, 3), np.uint8)


def tiles(count: int) -> NDArray[np.uint8]:
    """uint8 [B, S, S, 3]."""
    side = read_bundle_info("demo").inputs.satellite_px
    return np.random.default_rng(1).integers(0, 255, (count, side, side, 3), np.uint8)
