"""Copies of a panorama at wrong headings: the negatives that a search over headings meets.

Where the heading is unknown, every tile is compared with the panorama at each heading, and the right tile at the right
heading has to win. Batches of aligned pairs never show a network a wrong heading; turned copies do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.inputs.transforms import roll_to_north

__all__ = ["draw_turns", "with_turned"]

_LEAST_DEG = 20.0
"""A smaller turn is an error of the heading, not another heading."""
_BACK_SHARE, _BACK_DEG = 0.5, 10.0
"""Share of the copies that look back, to within so many degrees: a straight road looks alike both ways."""


def draw_turns(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Headings, in degrees, that so many copies are turned to, float64 [count]."""
    return np.array([_other_heading(random) for _ in range(count)], np.float64)


def with_turned(panorama: NDArray[np.uint8], turned_deg: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A panorama uint8 [H, W, 3], and its copies turned to C other headings, uint8 [1 + C, H, W, 3]."""
    return np.stack([panorama, *(roll_to_north(panorama, heading_deg) for heading_deg in turned_deg.tolist())])


def _other_heading(random: np.random.Generator) -> float:
    if random.random() < _BACK_SHARE:
        return random.uniform(180.0 - _BACK_DEG, 180.0 + _BACK_DEG)
    return random.uniform(_LEAST_DEG, 360.0 - _LEAST_DEG)
