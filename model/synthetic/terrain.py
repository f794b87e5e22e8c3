"""From a seed and a window to a painted ground raster: districts first, trees on top."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.synthetic.country import Country, country_of
from model.synthetic.districts import district_map
from model.synthetic.ground import PIXEL_M, Ground, Material, Window
from model.synthetic.hashing import lattice_noise, unit
from model.synthetic.painting import Absent, paint_district

__all__ = ["paint_ground", "paint_times"]

_TREE_CELL_PX = 14
_TREE_REACH_PX = 14
_TREE_SHARE = np.zeros(len(Material), np.float32)
_TREE_SHARE[[Material.PAVED, Material.GARDEN, Material.PARK, Material.WOOD, Material.FIELD]] = (
    0.10,
    0.34,
    0.42,
    0.95,
    0.02,
)
_WARP_CELL_M = 210.0


def paint_ground(seed: int, window: Window) -> Ground:
    """Paint a window of the world `seed`, with all its buildings; 0.5 m a pixel."""
    return paint_times(seed, window, [(0.0, 0.0)])[0]


def paint_times(seed: int, window: Window, times: Sequence[Absent]) -> list[Ground]:
    """Paint a window of the world `seed` at several times, between which buildings come and go.

    Args:
        seed: of the world, which also decides its country.
        window: what to paint.
        times: for each, the interval of [0, 1) whose buildings are not there; every building has a draw of its own.
    """
    wide = window.grown(_TREE_REACH_PX + _TREE_CELL_PX)
    grounds = _paint_districts(seed, wide, times)
    for ground in grounds:
        if country_of(seed).freedom:
            _grow_bushes(seed, ground)
        _plant_trees(seed, ground, country_of(seed))
        _roughen(seed, ground)
    return [ground.cropped(window) for ground in grounds]


def _paint_districts(seed: int, window: Window, times: Sequence[Absent]) -> list[Ground]:
    x_m, y_m = window.axes_m()
    districts, number, border_m = district_map(seed, x_m, y_m)
    bend_m = country_of(seed).bend_m
    bend_x = (lattice_noise(seed + 1, x_m, y_m, _WARP_CELL_M) - 0.5) * bend_m
    bend_y = (lattice_noise(seed + 2, x_m, y_m, _WARP_CELL_M) - 0.5) * bend_m
    grounds = [_blank(window) for _ in times]
    for here in np.unique(number):
        rows, columns = np.nonzero(number == here)
        x = x_m[columns] + bend_x[rows, columns]
        y = y_m[rows] + bend_y[rows, columns]
        paints = paint_district(districts[here], x, y, border_m[rows, columns], times)
        for ground, paint in zip(grounds, paints, strict=True):
            ground.height_m[rows, columns] = paint.height_m
            ground.top[rows, columns] = paint.top.clip(0, 255)
            ground.side[rows, columns] = paint.side.clip(0, 255)
            ground.material[rows, columns] = paint.material
    return grounds


def _blank(window: Window) -> Ground:
    shape = (window.height, window.width)
    return Ground(
        window,
        np.zeros(shape, np.float32),
        np.zeros((*shape, 3), np.uint8),
        np.zeros((*shape, 3), np.uint8),
        np.zeros(shape, np.uint8),
    )


def _plant_trees(seed: int, ground: Ground, country: Country) -> None:
    """Stamp round crowns at jittered grid points, where the ground lets them grow; lower trees first."""
    column, row, draw = _tree_sites(seed, ground.window)
    inside = (column >= 0) & (row >= 0) & (column < ground.window.width) & (row < ground.window.height)
    column, row, draw = column[inside], row[inside], draw[:, inside]
    grows = draw[0] < _TREE_SHARE[ground.material[row, column]] * np.float32(country.trees)
    column, row, draw = column[grows], row[grows], draw[:, grows]
    height = (4.0 + 9.0 * draw[1]) * np.float32(country.growth)
    tint = np.array(country.plants, np.float32)
    if country.freedom:
        height *= 0.4 + 1.5 * draw[5]
    for tree in np.argsort(height, kind="stable"):
        own = tint
        if country.freedom:  # from nearly black firs to autumn leaves
            tone, autumn = 0.35 + 0.9 * float(draw[6, tree]), max(0.0, float(draw[7, tree]) * 2.0 - 1.2)
            own = tint * np.array([tone * (1.0 + autumn), tone, tone * (1.0 - 0.4 * autumn)], np.float32)
        pointed = float(draw[8, tree]) < country.conifers
        _stamp(ground, int(column[tree]), int(row[tree]), float(height[tree]), draw[2:, tree], own, pointed=pointed)


def _tree_sites(seed: int, window: Window) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Local pixel of every possible tree whose cell meets the window, and nine draws for each [9, N]."""
    first_column, first_row = window.left // _TREE_CELL_PX, window.top // _TREE_CELL_PX
    last_column = (window.left + window.width) // _TREE_CELL_PX
    last_row = (window.top + window.height) // _TREE_CELL_PX
    rows, columns = np.mgrid[first_row : last_row + 1, first_column : last_column + 1].reshape(2, -1)
    draw = np.stack([unit(seed + 5, columns, rows, number) for number in range(11)])
    column = columns * _TREE_CELL_PX + (draw[0] * _TREE_CELL_PX).astype(np.int64) - window.left
    row = rows * _TREE_CELL_PX + (draw[1] * _TREE_CELL_PX).astype(np.int64) - window.top
    return column, row, draw[2:]


def _grow_bushes(seed: int, ground: Ground) -> None:
    """Undergrowth up to 2 m in woods, here and there a bush elsewhere."""
    x_m, y_m = ground.window.axes_m()
    dense = lattice_noise(seed + 12, x_m, y_m, 3.0) - np.where(ground.material == Material.WOOD, 0.45, 0.86)
    wild = np.isin(ground.material, (Material.PARK, Material.WOOD, Material.FIELD)) & (dense > 0)
    ground.height_m[wild] = np.minimum(dense[wild].astype(np.float32) * 6.0, np.float32(2.0))
    ground.top[wild] = (ground.top[wild] * 0.75).astype(np.uint8)
    ground.side[wild] = (ground.top[wild] * 0.8).astype(np.uint8)


def _stamp(
    ground: Ground,
    column: int,
    row: int,
    height_m: float,
    draw: NDArray[np.float32],
    tint: NDArray[np.float32],
    *,
    pointed: bool = False,
) -> None:
    radius_m = (1.4 + 0.22 * height_m + 1.2 * float(draw[0])) * (0.6 if pointed else 1.0)
    reach = int(radius_m / PIXEL_M) + 1
    rows = slice(max(row - reach, 0), min(row + reach + 1, ground.window.height))
    columns = slice(max(column - reach, 0), min(column + reach + 1, ground.window.width))
    down = (np.arange(rows.start, rows.stop) - row)[:, None] * PIXEL_M
    right = (np.arange(columns.start, columns.stop) - column)[None, :] * PIXEL_M
    bulge = 1.0 - (down * down + right * right) / (radius_m * radius_m)
    crown = (height_m * (0.62 + 0.38 * bulge)).astype(np.float32)
    if pointed:
        crown = (height_m * (1.0 - 0.9 * np.sqrt((1.0 - bulge).clip(0.0)))).astype(np.float32)
    part = (rows, columns)
    mask = (bulge > 0) & (crown > ground.height_m[part])
    hue = np.array([58 + 40 * draw[1], 88 + 30 * draw[2], 38 + 16 * draw[1]], np.float32) * tint
    ground.height_m[part][mask] = crown[mask]
    ground.top[part][mask] = (hue * (0.7 + 0.4 * bulge[mask, None])).astype(np.uint8)
    ground.side[part][mask] = (hue * 0.8).astype(np.uint8)
    ground.material[part][mask] = Material.TREE


def _roughen(seed: int, ground: Ground) -> None:
    """Texture: fine grain on everything, broad patches on whatever grows."""
    x_m, y_m = ground.window.axes_m()
    columns = np.arange(ground.window.width) + ground.window.left
    rows = np.arange(ground.window.height) + ground.window.top
    grain = unit(seed + 8, rows[:, None], columns[None, :])
    patches = lattice_noise(seed + 9, x_m, y_m, 17.0)
    grows = np.isin(ground.material, (Material.GARDEN, Material.PARK, Material.FIELD, Material.WOOD))
    factor = 0.9 + 0.2 * grain + np.where(grows, 0.3 * (patches - 0.5), np.float32(0.0))
    ground.top[...] = (ground.top * factor[..., None]).clip(0, 255)
