"""A box of the Web Mercator map drawn from one raster file: read in place where the grids agree, else warped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.optional import load_rasterio
from indexer.tiles.grid import MERCATOR_HALF_M, mercator_m
from indexer.tiles.sources.bands import RasterFile
from indexer.tiles.sources.colours import read_window
from indexer.tiles.sources.georeference import Window
from model.common.geo import Bounds

__all__ = ["MapBox", "boxes_of", "draw", "place_of"]

_SAMPLES = 21
"""Points a side at which a box is looked up in a file; between them a map's bend is covered by the margin."""
_MARGIN_PX = 3
_INSET = 1e-6
"""Share of a box by which it is looked up inside its edges: the edge at 180 degrees also lies at -180."""
_AGREE_PX = 0.05
"""Grids that differ by less, over the whole file, are one."""
_MOST_PX = 1 << 26

_Pixels = NDArray[np.uint8]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MapBox:
    """A box in projected metres of EPSG:3857, north up, and its size in pixels. It may reach over 180 degrees."""

    west_m: float
    north_m: float
    width_m: float
    height_m: float
    width_px: int
    height_px: int


def boxes_of(bounds: Bounds, side_px: int) -> list[tuple[slice, MapBox]]:
    """(columns of the picture, box) of a square picture of a footprint: two boxes where it crosses 180 degrees."""
    (west, east), (south, north) = mercator_m([bounds.south, bounds.north], [bounds.west, bounds.east])
    width = east - west if not bounds.crosses_antimeridian else east - west + 2 * MERCATOR_HALF_M
    inside = side_px
    if bounds.crosses_antimeridian:
        inside = min(side_px, max(0, round((MERCATOR_HALF_M - west) / width * side_px)))
    parts = [(slice(0, inside), west), (slice(inside, side_px), west - 2 * MERCATOR_HALF_M)]
    boxes = []
    for columns, start in parts:
        count = columns.stop - columns.start
        if count:
            left, share = start + columns.start / side_px * width, count / side_px
            boxes.append((columns, MapBox(left, north, width * share, north - south, count, side_px)))
    return boxes


def draw(data: Any, file: RasterFile, box: MapBox) -> tuple[_Pixels, _Mask]:
    """uint8 [H, W, 3] of a box, and bool [H, W] of where the file has data."""
    if _grids_agree(file, box):
        return _draw_directly(data, file, box)
    pixels, valid = _nothing(box)
    where, part = _shared(box, file.bounds)
    if part is not None:
        pixels[where], valid[where] = _draw_warped(data, file, part)
    return pixels, valid


def _draw_warped(data: Any, file: RasterFile, box: MapBox) -> tuple[_Pixels, _Mask]:
    drawn: NDArray[np.uint8] | None = None
    lon, lat = place_of(box, np.linspace(_INSET, 1 - _INSET, _SAMPLES))
    for turn in file.place.turns:
        window, inside = _window(file, lon, lat, turn)
        if window is not None:
            part = _warp(data, file, box, window, turn, inside=inside)
            if drawn is None:
                drawn = part
            else:
                np.copyto(drawn, part, where=(drawn[3] == 0) & (part[3] > 0))
    if drawn is None:
        return _nothing(box)
    return np.ascontiguousarray(drawn[:3].transpose(1, 2, 0)), drawn[3] > 0


def _shared(box: MapBox, bounds: Bounds) -> tuple[tuple[slice, slice], MapBox | None]:
    """(rows and columns, box) of the pixels of a box that a file's extent reaches, with a margin; None for none.

    What lies outside would cost as much time to warp as what lies inside.
    """
    whole = slice(0, box.height_px), slice(0, box.width_px)
    if bounds.crosses_antimeridian:
        return whole, box
    (west, east), (south, north) = mercator_m([bounds.south, bounds.north], [bounds.west, bounds.east])
    across, down = box.width_m / box.width_px, box.height_m / box.height_px
    left, right = _pixels_between(west - box.west_m, east - box.west_m, across, box.width_px)
    top, bottom = _pixels_between(box.north_m - north, box.north_m - south, down, box.height_px)
    if left >= right or top >= bottom:
        return whole, None
    part = MapBox(
        box.west_m + left * across,
        box.north_m - top * down,
        (right - left) * across,
        (bottom - top) * down,
        right - left,
        bottom - top,
    )
    return (slice(top, bottom), slice(left, right)), part


def _pixels_between(first_m: float, last_m: float, pixel_m: float, count: int) -> tuple[int, int]:
    low, high = math.floor(first_m / pixel_m) - _MARGIN_PX, math.ceil(last_m / pixel_m) + _MARGIN_PX
    return min(max(low, 0), count), min(max(high, 0), count)


def _grids_agree(file: RasterFile, box: MapBox) -> bool:
    """Whether the box's pixels are the file's, and the file lies on the map once."""
    affine = file.place.transform
    if not file.place.web_mercator or affine is None or affine.b or affine.d or affine.a <= 0 or affine.e >= 0:
        return False
    if max(-affine.c, affine.c + affine.a * file.size[0]) > MERCATOR_HALF_M + affine.a:
        return False
    column, row, across, down = _in_file(file, box)
    longest = max(*file.size, box.width_px, box.height_px)
    drift_px = max(abs(across / box.width_px - 1), abs(down / box.height_px - 1)) * longest
    return max(drift_px, abs(column - round(column)), abs(row - round(row))) < _AGREE_PX


def _in_file(file: RasterFile, box: MapBox) -> tuple[float, float, float, float]:
    """(column, row, width, height) of the box in the pixels of a file on the same map."""
    affine = file.place.transform
    column, row = (box.west_m - affine.c) / affine.a, (box.north_m - affine.f) / affine.e
    return column, row, box.width_m / affine.a, box.height_m / -affine.e


def _draw_directly(data: Any, file: RasterFile, box: MapBox) -> tuple[_Pixels, _Mask]:
    column, row = (round(value) for value in _in_file(file, box)[:2])
    left, top = max(column, 0), max(row, 0)
    right, bottom = min(column + box.width_px, file.size[0]), min(row + box.height_px, file.size[1])
    pixels, valid = _nothing(box)
    if left < right and top < bottom:
        window = Window(left, top, right - left, bottom - top)
        part, there = read_window(data, file.colours, window, (window.height, window.width))
        where = np.s_[top - row : bottom - row, left - column : right - column]
        pixels[where], valid[where] = part.transpose(1, 2, 0), there
    return pixels, valid


def _nothing(box: MapBox) -> tuple[_Pixels, _Mask]:
    return np.zeros((box.height_px, box.width_px, 3), np.uint8), np.zeros((box.height_px, box.width_px), np.bool_)


def place_of(box: MapBox, shares: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(lon, lat) of the points of a box at some shares of its sides, row by row."""
    x, y = np.meshgrid(box.west_m + shares * box.width_m, box.north_m - shares * box.height_m)
    radius = MERCATOR_HALF_M / np.pi
    return np.degrees(x.ravel() / radius), np.degrees(np.arctan(np.sinh(y.ravel() / radius)))


def _window(
    file: RasterFile, lon: NDArray[np.float64], lat: NDArray[np.float64], turn: int
) -> tuple[Window | None, bool]:
    """The part of a file that a box shows, or None, and whether the file shows all of the box."""
    columns, rows = file.place.pixels(lon, lat, turn)
    known = np.isfinite(columns) & np.isfinite(rows)
    if not known.any():
        return None, False
    span = max(np.ptp(columns[known]), np.ptp(rows[known]))
    margin = _MARGIN_PX + 2 * span / (_SAMPLES - 1) / 10
    left, right = columns[known].min() - margin, columns[known].max() + margin
    top, bottom = rows[known].min() - margin, rows[known].max() + margin
    inside = bool(known.all() and min(left, top) >= 0 and right <= file.size[0] and bottom <= file.size[1])
    left, right, top, bottom = max(0.0, left), min(file.size[0], right), max(0.0, top), min(file.size[1], bottom)
    if left >= right or top >= bottom:
        return None, False
    column, row = math.floor(left), math.floor(top)
    return Window(column, row, math.ceil(right) - column, math.ceil(bottom) - row), inside


def _warp(data: Any, file: RasterFile, box: MapBox, window: Window, turn: int, *, inside: bool) -> NDArray[np.uint8]:
    """uint8 [4, H, W], the last how much of a pixel there is.

    GDAL warps several times faster without an alpha band, so it gets one only where a part of the file is without data.
    """
    shape = _read_shape(file, box, window)
    pixels, valid = read_window(data, file.colours, window, shape)
    place = file.place.warp_options(window, shape, turn)
    if not valid.all():
        source = np.concatenate([pixels, np.where(valid, 255, 0).astype(np.uint8)[None]])
        return _reproject(source, box, place, smooth=file.colours.palette is None, src_alpha=4, dst_alpha=4)
    colours = _reproject(pixels, box, place, smooth=file.colours.palette is None)
    opaque = np.full((1, *(shape if not inside else colours.shape[1:])), 255, np.uint8)
    return np.concatenate([colours, opaque if inside else _reproject(opaque, box, place, smooth=False)])


def _reproject(
    source: NDArray[np.uint8], box: MapBox, place: dict[str, Any], *, smooth: bool, **options: Any
) -> NDArray[np.uint8]:
    """uint8 [bands, H, W] of a box, zero where the source is not."""
    rasterio = load_rasterio()
    target = np.zeros((len(source), box.height_px, box.width_px), np.uint8)
    across, down = box.width_m / box.width_px, box.height_m / box.height_px
    rasterio.warp.reproject(
        source,
        target,
        dst_transform=rasterio.Affine(across, 0.0, box.west_m, 0.0, -down, box.north_m),
        dst_crs="EPSG:3857",
        resampling=rasterio.enums.Resampling.bilinear if smooth else rasterio.enums.Resampling.nearest,
        **place,
        **options,
    )
    return target


def _read_shape(file: RasterFile, box: MapBox, window: Window) -> tuple[int, int]:
    """(rows, columns) to read a part in: its own, or made smaller by a power of two that the picture still resolves."""
    ratio = (box.width_m / box.width_px) / file.mercator_res_m
    factor = 1 << max(0, math.floor(math.log2(max(ratio, 1.0)) + 1e-9))
    while window.width * window.height // factor**2 > _MOST_PX:
        factor *= 2
    return max(1, math.ceil(window.height / factor)), max(1, math.ceil(window.width / factor))
