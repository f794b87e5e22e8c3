"""Cast shadows: whether anything towards the sun stands above the line of sight to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.synthetic.ground import PIXEL_M

__all__ = ["SHADOW_M", "shadowed", "sun_steps"]

SHADOW_M = 26.0
"""The longest shadow that is looked for, along the ground."""

_STEPS = 10


def sun_steps(sun: tuple[float, float, float]) -> list[tuple[int, int, np.float32]]:
    """Steps towards the sun (east, north, up): rows and columns away, and the height in metres that still shades."""
    east, north, up = sun
    flat = max(float(np.sqrt(east * east + north * north)), 1e-6)
    away = [SHADOW_M * (step / _STEPS) ** 1.5 for step in range(1, _STEPS + 1)]
    return [
        (-round(north / flat * m / PIXEL_M), round(east / flat * m / PIXEL_M), np.float32(m * up / flat + 0.3))
        for m in away
    ]


def shadowed(
    height_m: NDArray[np.float32],
    sun: tuple[float, float, float],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    at_m: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Whether points [N] of a height raster [H, W], at heights `at_m`, lie in a cast shadow.

    The raster must reach `SHADOW_M` beyond the points.
    """
    shade = np.zeros(len(row), np.bool_)
    for rows, columns, rise_m in sun_steps(sun):
        shade |= height_m[row + rows, column + columns] > at_m + rise_m
    return shade
