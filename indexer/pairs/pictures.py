"""A photo as a training picture: a level strip of equal angles, whatever lens and lean it was taken with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.pairs.screening import UsablePhoto
from model.common.errors import BadImage
from model.common.images import decode_image
from model.inputs.photo_checks import content_warnings
from model.inputs.photo_projection import lay_photo
from model.inputs.transforms import InputSpec

__all__ = ["VERTICAL_DEG", "Strip", "draw_strip"]

VERTICAL_DEG = 90.0
"""Vertical angle of every strip, the horizon in its middle."""


@dataclass(frozen=True)
class Strip:
    """A training picture.

    Attributes:
        pixels: uint8 [H, W, 3]; columns and rows are equal angles, what the photo does not show is neutral.
        fov_deg: its horizontal angle.
    """

    pixels: NDArray[np.uint8]
    fov_deg: float


def draw_strip(photo: UsablePhoto, width_px: int) -> Strip:
    """The photo as encoders see it, at `width_px` for 360 degrees; narrow ones as narrow as they are.

    Raises:
        BadImage: it cannot be decoded, or shows next to nothing.
        OSError: it cannot be read.
    """
    height_px = round(width_px * VERTICAL_DEG / 360.0)
    canvas = InputSpec(ground_width_px=width_px, ground_height_px=height_px, ground_vertical_deg=VERTICAL_DEG)
    picture = decode_image(photo.path, at_least_px=None if photo.view.fov_deg < 360 else canvas.ground_decode_px)
    if bare := content_warnings(picture):
        raise BadImage(bare[0])
    drawn = lay_photo(picture, canvas, replace(photo.view, heading_deg=0.0))
    columns = min(width_px, 2 * math.ceil(width_px * photo.view.fov_deg / 720.0 + 1))
    left = (width_px - columns) // 2
    return Strip(np.ascontiguousarray(drawn[:, left : left + columns]), 360.0 * columns / width_px)
