"""The ground raster: for any window of the world, height, colours and material of every half metre.

It is a function of (seed, global pixel) alone: two overlapping windows agree to the byte where they overlap. Districts
are painted first (blocks, lots, buildings, streets), then trees on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["PIXEL_M", "Ground", "Material", "Window"]

PIXEL_M = 0.5
"""Side of a raster pixel in metres."""


class Material(IntEnum):
    """What a pixel of the ground is made of; it decides where trees grow and what the seasons tint."""

    ROAD = 0
    PAVED = 1
    GARDEN = 2
    PARK = 3
    WOOD = 4
    FIELD = 5
    WATER = 6
    BUILDING = 7
    HEDGE = 8
    TREE = 9


@dataclass(frozen=True)
class Window:
    """A rectangle of global raster pixels; columns run east, rows run south.

    Attributes:
        left: global column of the first pixel, plane x / 0.5 m.
        top: global row of the first pixel, minus plane y / 0.5 m.
        width: in pixels.
        height: in pixels.
    """

    left: int
    top: int
    width: int
    height: int

    @classmethod
    def around(cls, left_m: float, bottom_m: float, right_m: float, top_m: float, *, margin_m: float = 0.0) -> Window:
        """The smallest window that covers a rectangle of the plane and a margin."""
        left = int(np.floor((left_m - margin_m) / PIXEL_M))
        top = int(np.floor((-top_m - margin_m) / PIXEL_M))
        right = int(np.ceil((right_m + margin_m) / PIXEL_M))
        bottom = int(np.ceil((-bottom_m + margin_m) / PIXEL_M))
        return cls(left, top, right - left, bottom - top)

    def grown(self, pixels: int) -> Window:
        """The window with a border added on every side."""
        return Window(self.left - pixels, self.top - pixels, self.width + 2 * pixels, self.height + 2 * pixels)

    def axes_m(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Plane coordinates of the pixel centres: x of the columns, y of the rows (falling)."""
        x = (self.left + np.arange(self.width) + 0.5) * PIXEL_M
        y = -(self.top + np.arange(self.height) + 0.5) * PIXEL_M
        return np.asarray(x, np.float64), np.asarray(y, np.float64)


@dataclass(frozen=True)
class Ground:
    """A painted window.

    Attributes:
        window: which global pixels these are.
        height_m: float32 [H, W], of whatever stands there above the flat earth.
        top: uint8 [H, W, 3], the colour seen from above.
        side: uint8 [H, W, 3], the colour of the faces seen from the street.
        material: uint8 [H, W], a `Material`.
    """

    window: Window
    height_m: NDArray[np.float32]
    top: NDArray[np.uint8]
    side: NDArray[np.uint8]
    material: NDArray[np.uint8]

    def cropped(self, window: Window) -> Ground:
        """The part of the raster inside `window`, as views."""
        rows = slice(window.top - self.window.top, window.top - self.window.top + window.height)
        columns = slice(window.left - self.window.left, window.left - self.window.left + window.width)
        part = (rows, columns)
        return Ground(window, self.height_m[part], self.top[part], self.side[part], self.material[part])
