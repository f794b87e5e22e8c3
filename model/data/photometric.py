"""How public training code makes one picture look different: compression, colours, sharpness, grids and holes.

Each function takes a picture uint8 [H, W, 3] and gives another of the same size; the strengths are those of
Sample4Geo's published configuration (arXiv 2303.11851), drawn from the generator that is passed in.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from model.inputs.anchors import NEUTRAL

__all__ = ["compress", "drop_grid", "drop_holes", "sharpen", "shift_colours"]

_Pixels = NDArray[np.uint8]

_QUALITY = (90, 100)
"""Of the JPEG, both ends included."""
_COLOURS = 0.15
"""Greatest change of brightness, contrast and saturation as a share, and of the hue in turns."""
_SHARPNESS = (1.5, 3.0)
"""Pillow's factor, where 1 is the picture itself."""
_CELLS = 10
"""Cells of a grid along the shorter side."""
_HOLES = (10, 25)
_HOLE_SIDES = (0.1, 0.2)
"""Sides of a hole as a share of the picture's height."""


def compress(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """The picture after JPEG compression of quality 90 to 100."""
    file = io.BytesIO()
    _image(picture).save(file, "JPEG", quality=int(random.integers(_QUALITY[0], _QUALITY[1] + 1)))
    return np.asarray(Image.open(file))


def shift_colours(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """Brightness, contrast, saturation and hue changed by up to 15 %, in any order."""
    image = _image(picture)
    changes: list[Callable[[Image.Image, float], Image.Image]] = [
        lambda one, by: ImageEnhance.Brightness(one).enhance(1.0 + by),
        lambda one, by: ImageEnhance.Contrast(one).enhance(1.0 + by),
        lambda one, by: ImageEnhance.Color(one).enhance(1.0 + by),
        _turn_hue,
    ]
    for number in random.permutation(len(changes)):
        image = changes[number](image, random.uniform(-_COLOURS, _COLOURS))
    return np.asarray(image)


def sharpen(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """Edges drawn out, by 1.5 to 3 times."""
    return np.asarray(ImageEnhance.Sharpness(_image(picture)).enhance(random.uniform(*_SHARPNESS)))


def drop_grid(picture: _Pixels, random: np.random.Generator, share: float) -> _Pixels:
    """In each cell of a grid, ten along the shorter side, a square of `share` of its side turns neutral grey."""
    cell_px = max(2, min(picture.shape[:2]) // _CELLS)
    hole_px = max(1, round(cell_px * share))
    rows, columns = (
        (np.arange(side) + int(random.integers(cell_px))) % cell_px < hole_px for side in picture.shape[:2]
    )
    return np.where((rows[:, None] & columns)[..., None], np.uint8(NEUTRAL), picture)


def drop_holes(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """10 to 25 rectangles whose sides are a tenth to a fifth of the picture's height turn neutral; they may overlap."""
    picture = picture.copy()
    height, width = picture.shape[:2]
    for _ in range(int(random.integers(_HOLES[0], _HOLES[1] + 1))):
        tall, wide = (max(1, round(random.uniform(*_HOLE_SIDES) * height)) for _ in range(2))
        top, left = int(random.integers(height - tall + 1)), int(random.integers(max(1, width - wide + 1)))
        picture[top : top + tall, left : left + wide] = NEUTRAL
    return picture


def _turn_hue(image: Image.Image, turns: float) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    hue = hue.point([(level + round(turns * 256)) % 256 for level in range(256)])
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")


def _image(picture: _Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture))
