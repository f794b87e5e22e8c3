"""Where a person can stand and take a panorama: free spots of an area, streets preferred."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.synthetic.ground import PIXEL_M, Ground, Material, Window
from model.synthetic.hashing import unit
from model.synthetic.panorama import VIEW_M

__all__ = ["Area", "Cell", "area_window", "cells", "free_spot", "material_at"]

_CELL_ORIGIN = 50_000
"""Added to the numbers of cells, which may be negative."""
_CLEAR_PX = 6
_TRIES = 8
_STANDABLE = (Material.ROAD, Material.PAVED, Material.GARDEN, Material.PARK, Material.FIELD)


@dataclass(frozen=True)
class Area:
    """A square of the plane of one world.

    Attributes:
        seed: of the world.
        left_m: west edge on the plane.
        bottom_m: south edge on the plane.
        side_m: length of a side.
    """

    seed: int
    left_m: float
    bottom_m: float
    side_m: float


@dataclass(frozen=True)
class Cell:
    """A square of an area, numbered on the whole plane.

    Attributes:
        column: number along the plane's x axis.
        row: number along its y axis.
        x_m: of its centre.
        y_m: of its centre.
    """

    column: int
    row: int
    x_m: float
    y_m: float

    @property
    def name(self) -> str:
        """Tells the cells of a world apart."""
        return f"{self.column + _CELL_ORIGIN:05d}-{self.row + _CELL_ORIGIN:05d}"

    @property
    def key(self) -> int:
        """A number that tells them apart, not negative."""
        return (self.row + _CELL_ORIGIN) * 2 * _CELL_ORIGIN + self.column + _CELL_ORIGIN


def area_window(area: Area) -> Window:
    """The window of an area and of all that is seen from inside it."""
    right, top = area.left_m + area.side_m, area.bottom_m + area.side_m
    return Window.around(area.left_m, area.bottom_m, right, top, margin_m=VIEW_M + 4.0)


def cells(area: Area, spacing_m: float) -> Iterator[Cell]:
    """The cells of an area, row by row from the south."""
    count = int(area.side_m / spacing_m)
    first_column, first_row = round(area.left_m / spacing_m), round(area.bottom_m / spacing_m)
    for row in range(count):
        for column in range(count):
            x_m, y_m = area.left_m + (column + 0.5) * spacing_m, area.bottom_m + (row + 0.5) * spacing_m
            yield Cell(first_column + column, first_row + row, x_m, y_m)


def free_spot(
    ground: Ground, seed: int, x_m: float, y_m: float, *, reach_m: float, streets_only: bool = False
) -> tuple[float, float] | None:
    """A spot within `reach_m` along each axis where nothing stands within 3 m; on a street if one of the tries is.

    A reach of 0 asks for the very point. None where none of the tries is free, or on a street where that is asked for.
    """
    key = round(x_m * 8), round(y_m * 8)
    tries = _TRIES if reach_m > 0 else 1
    draw = unit(seed + 31, *key, np.arange(2 * tries)).reshape(2, tries).astype(np.float64) * 2 - 1
    candidates = (
        [(x_m + reach_m * float(dx), y_m + reach_m * float(dy)) for dx, dy in draw.T] if tries > 1 else [(x_m, y_m)]
    )
    standing = [(spot, material_at(ground, *spot)) for spot in candidates if _is_free(ground, *spot)]
    streets = [spot for spot, material in standing if material == Material.ROAD]
    if streets or streets_only:
        return streets[0] if streets else None
    return next((spot for spot, material in standing if material in _STANDABLE), None)


def _pixel(ground: Ground, x_m: float, y_m: float) -> tuple[int, int]:
    return int(np.floor(-y_m / PIXEL_M)) - ground.window.top, int(np.floor(x_m / PIXEL_M)) - ground.window.left


def material_at(ground: Ground, x_m: float, y_m: float) -> int:
    """The `Material` at a point of the plane."""
    return int(ground.material[_pixel(ground, x_m, y_m)])


def _is_free(ground: Ground, x_m: float, y_m: float) -> bool:
    row, column = _pixel(ground, x_m, y_m)
    around: NDArray[np.float32] = ground.height_m[
        row - _CLEAR_PX : row + _CLEAR_PX + 1, column - _CLEAR_PX : column + _CLEAR_PX + 1
    ]
    return bool(around.max() < 0.1)
