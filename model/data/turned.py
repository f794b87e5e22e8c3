"""Copies of a panorama at wrong headings: the negatives that a search over headings meets.

Where the heading is unknown, every tile is compared with the panorama at each heading, and the right tile at the right
heading has to win. Batches of aligned pairs never show a network a wrong heading; turned copies do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.inputs.transforms import roll_to_north

__all__ = ["with_turned"]

_LEAST_DEG = 20.0
"""A smaller turn is an error of the heading, not another heading."""
_BACK_SHARE, _BACK_DEG = 0.5, 10.0
"""Share of the copies that look back, to within so many degrees: a straight road looks alike both ways."""


def with_turned(panorama: NDArray[np.uint8], count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """A panorama uint8 [H, W, 3] and `count` copies turned to other headings, uint8 [1 + count, H, W, 3]."""
    copies = [panorama, *(roll_to_north(panorama, _other_heading(random)) for _ in range(count))]
    return np.stack(copies)


def _other_heading(random: np.random.Generator) -> float:
    if random.random() < _BACK_SHARE:
        return random.uniform(180.0 - _BACK_DEG, 180.0 + _BACK_DEG)
    return random.uniform(_LEAST_DEG, 360.0 - _LEAST_DEG)
