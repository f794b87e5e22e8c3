"""How much of a tile a small raster can fill: one smaller than a tile would otherwise leave an index without tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.tiles.grid import MERCATOR_HALF_M, mercator_m
from indexer.tiles.sources.bands import RasterFile
from indexer.tiles.sources.cutting import grid_cover
from indexer.tiles.sources.windows import MapBox, place_of

__all__ = ["least_share"]

_FEW_TILES = 32
_SIDE = 16
"""A tile's filling is taken at so many points a side."""


def least_share(files: Sequence[RasterFile], zoom: int, wanted: float) -> float:
    """Share of a tile that must hold data: as wanted, or half of what the fullest tile can hold where that is less."""
    if sum(_tiles_across(file, zoom) for file in files) > _FEW_TILES:
        return wanted
    table = grid_cover(files, zoom, None)
    side_m = 2 * MERCATOR_HALF_M / (1 << zoom)
    boxes = [
        MapBox(x * side_m - MERCATOR_HALF_M, MERCATOR_HALF_M - y * side_m, side_m, side_m, _SIDE, _SIDE)
        for x, y in zip(table.x.tolist(), table.y.tolist(), strict=True)
    ]
    fullest = max((_filled(files, box) for box in boxes), default=1.0)
    return wanted if fullest >= wanted else fullest / 2


def _filled(files: Sequence[RasterFile], box: MapBox) -> float:
    lon, lat = place_of(box, (np.arange(_SIDE) + 0.5) / _SIDE)
    inside: NDArray[np.bool_] = np.zeros(len(lon), np.bool_)
    for file in files:
        for turn in file.place.turns:
            column, row = file.place.pixels(lon, lat, turn)
            inside |= (column >= 0) & (column <= file.size[0]) & (row >= 0) & (row <= file.size[1])
    return float(inside.mean())


def _tiles_across(file: RasterFile, zoom: int) -> float:
    """Area of a file's box in tiles."""
    west, south, east, north = file.bounds.as_tuple()
    (left, right), (bottom, top) = mercator_m([south, north], [west, east if east >= west else east + 360.0])
    side_m = 2 * MERCATOR_HALF_M / (1 << zoom)
    return float((right - left) / side_m * (top - bottom) / side_m)
