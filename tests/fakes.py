"""Stand-ins for slow or heavy parts; they do real work, only less of it."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from model.inputs.anchors import anchor_px, recentre
from model.inputs.heading_search import swept_turns
from model.inputs.transforms import InputSpec

__all__ = ["FakeEncoder"]

_CELLS = 3


class FakeEncoder:
    """An encoder whose vector reveals its input: the mean colours of a 3 x 3 grid of cells, to unit length.

    Ground and satellite pictures are read alike, so a tile posted as a photo finds itself.
    """

    def __init__(self, name: str = "fake", inputs: InputSpec | None = None) -> None:
        self.name = name
        self.digest = hashlib.sha256(name.encode()).hexdigest()
        self.numbers = "float"
        self.sweeps = False
        self.dim = _CELLS * _CELLS * 3
        self.inputs = inputs or InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64)

    def encode_satellite(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] -> float32 [B, A * 27] of the A anchors."""
        points = [anchor_px(point, pixels.shape[1]) for point in self.inputs.anchor_points]
        return np.concatenate([_cell_colours(recentre(pixels, *point)) for point in points], axis=1)

    def encode_ground(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] -> float32 [B, 27]."""
        return _cell_colours(pixels)

    def encode_headings(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] -> float32 [B, T, 27], each turn on its own."""
        turned = [self.encode_ground(np.roll(pixels, turn, axis=2)) for turn in swept_turns(pixels.shape[2])]
        return np.stack(turned, axis=1)


def _cell_colours(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    bands = np.array_split(pixels.astype(np.float32) - 100.5, _CELLS, axis=1)
    cells = [cell.mean(axis=(1, 2)) for band in bands for cell in np.array_split(band, _CELLS, axis=2)]
    vectors = np.concatenate(cells, axis=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
