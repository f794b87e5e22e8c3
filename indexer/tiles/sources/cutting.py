"""Where to cut rasters: the Web Mercator tiles that cover them, or squares at a stride, both in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.grid import MERCATOR_HALF_M, mercator_m
from indexer.tiles.sources.bands import RasterFile
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.tile_table import TileTable, centres, grid_table, narrowest_span, texts
from model.common.geo import EARTH_RADIUS_M, Bounds

__all__ = ["covered_tiles", "grid_cover", "native_zoom", "stride_cover"]

_MAX_TILES = 50_000_000
_TOUCHING = 1e-6
"""Share of a tile by which a raster must reach into it; below, it only shares an edge."""

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def native_zoom(mercator_res_m: float, tile_px: int) -> int:
    """The zoom whose tiles of some pixels come closest to a resolution in projected metres."""
    return max(0, min(24, round(math.log2(2 * MERCATOR_HALF_M / (tile_px * mercator_res_m)))))


def grid_cover(files: Sequence[RasterFile], zoom: int, bbox: Bounds | None) -> TileTable:
    """The tiles of a zoom that any file reaches into, each once, marked with the first such file."""
    covered: dict[tuple[int, int], int] = {}
    for number, file in enumerate(files):
        for part in _halves(file.bounds):
            for key in _tiles_inside(part, zoom, bbox):
                covered.setdefault(key, number)
    places = sorted(covered)
    zxy = np.array([(zoom, x, y) for x, y in places], np.int64).reshape(-1, 3)
    owners = [files[covered[place]] for place in places]
    return grid_table(zxy, [file.name for file in owners])


def covered_tiles(box: Bounds, zoom: int, most: int) -> list[tuple[int, int]]:
    """(x, y) of the tiles of a zoom that a box reaches into.

    Raises:
        BadSource: they are more than so many.
    """
    return sorted({tile for part in _halves(box) for tile in _tiles_inside(part, zoom, None, most)})


def stride_cover(files: Sequence[RasterFile], options: SourceOptions) -> TileTable:
    """Squares of `tile_size_m` on the ground, `stride_m` apart, from the north-western corner of all files.

    Rows are parallels at equal distances; along each, the step in longitude follows the latitude of the row's centre.
    """
    size_m = options.tile_size_m or 0.0
    stride_m = options.stride_m or size_m
    south, north = min(file.bounds.south for file in files), max(file.bounds.north for file in files)
    west, width = _span_of(files)
    size_deg, stride_deg = math.degrees(size_m / EARTH_RADIUS_M), math.degrees(stride_m / EARTH_RADIUS_M)
    tops = north - stride_deg * np.arange(_steps(north - south, size_deg, stride_deg), dtype=np.float64)
    shrink = np.cos(np.radians(tops - size_deg / 2))
    counts = np.array([_steps(width, size_deg / each, stride_deg / each) for each in shrink.tolist()], np.int64)
    if counts.sum() > _MAX_TILES:
        raise BadSource(f"{counts.sum():,} tiles of {size_m:g} m; choose a longer stride or index parts of the raster")
    row = np.repeat(np.arange(len(tops)), counts)
    column = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    left: _Floats = west + column * stride_deg / shrink[row]
    return _owned(files, left, tops[row] - size_deg, left + size_deg / shrink[row], tops[row])


def _span_of(files: Sequence[RasterFile]) -> tuple[float, float]:
    """(west, width in degrees) of all files, across the antimeridian where that is narrower."""
    boxes = np.array([file.bounds.as_tuple() for file in files], np.float64)
    west, east = narrowest_span(boxes[:, 0], boxes[:, 2])
    return west, east - west if east >= west else east - west + 360.0


def _owned(files: Sequence[RasterFile], west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> TileTable:
    """The boxes that any file touches, marked with the first such file; their longitudes may be beyond 180."""
    owner = np.full(len(west), -1, np.int64)
    for number in reversed(range(len(files))):
        own = files[number].bounds
        width = own.east - own.west if own.east >= own.west else own.east - own.west + 360.0
        beside = ((own.west - west) % 360.0 < east - west) | ((west - own.west) % 360.0 < width)
        owner[beside & (south < own.north) & (north > own.south)] = number
    kept = owner >= 0
    west, south, east, north, owner = _turn(west[kept]), south[kept], _turn(east[kept]), north[kept], owner[kept]
    lat, lon = centres(west, south, east, north)
    names = [f"{a:.6f},{b:.6f}" for a, b in zip(lat.tolist(), lon.tolist(), strict=True)]
    off_grid, zeros = np.full(len(lat), -1, np.int64), np.zeros(len(lat), np.int64)
    sources = texts([files[number].name for number in owner.tolist()])
    return TileTable(
        texts(names), off_grid, off_grid, off_grid, lat, lon, west, south, east, north, sources, zeros, zeros
    )  # fmt: skip


def _turn(lon: _Floats) -> _Floats:
    """Longitudes in [-180, 180]."""
    turned: _Floats = np.where(lon > 180.0, lon - 360.0, lon)
    return turned


def _steps(extent: float, size: float, stride: float) -> int:
    """How many tiles reach from end to end; the last may reach beyond."""
    return max(1, math.ceil((extent - size) / stride - _TOUCHING) + 1)


def _halves(bounds: Bounds) -> list[Bounds]:
    """A box, in two where it crosses the antimeridian."""
    if not bounds.crosses_antimeridian:
        return [bounds]
    west, south, east, north = bounds.as_tuple()
    return [Bounds(west, south, 180.0, north), Bounds(-180.0, south, east, north)]


def _tiles_inside(extent: Bounds, zoom: int, bbox: Bounds | None, most: int = _MAX_TILES) -> list[tuple[int, int]]:
    """(x, y) of the tiles that a box reaches into, cut to another box first where that is simple."""
    west, south, east, north = extent.as_tuple()
    if bbox is not None and not bbox.crosses_antimeridian:
        west, east = max(west, bbox.west), min(east, bbox.east)
        south, north = max(south, bbox.south), min(north, bbox.north)
        if west > east or south > north:
            return []
    (left, right), (bottom, top) = mercator_m([south, north], [west, east])
    side = 1 << zoom
    columns = _span((left / MERCATOR_HALF_M + 1) / 2 * side, (right / MERCATOR_HALF_M + 1) / 2 * side, side)
    rows = _span((1 - top / MERCATOR_HALF_M) / 2 * side, (1 - bottom / MERCATOR_HALF_M) / 2 * side, side)
    if len(columns) * len(rows) > most:
        raise BadSource(f"{len(columns) * len(rows):,} tiles of zoom {zoom}; choose a lower --zoom or a --bbox")
    return [(x, y) for x in columns for y in rows]


def _span(low: float, high: float, side: int) -> range:
    """Cells between two places on an axis of `side` cells."""
    first = max(0, math.floor(low + _TOUCHING))
    last = min(side - 1, math.ceil(high - _TOUCHING) - 1)
    return range(first, max(first, last) + 1)
