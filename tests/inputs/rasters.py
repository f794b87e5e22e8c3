"""Rasters painted with a known function of the place, and the same function at the pixels of a tile.

The painting uses pyproj, and what is read is compared at corners from mercantile: neither shares code with the product.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.control import GroundControlPoint

from indexer.common.errors import TileWithoutData
from indexer.tiles.sources.raster import RasterSource
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.tile_table import TileRecord

WAVE_DEG = 0.006
"""Some 60 pixels of 10 m: a picture displaced by one pixel is off by ten levels."""

Picture = NDArray[np.uint8]


def painted(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """[3, ...] levels of red, green and blue at places in degrees; the same in every turn of the Earth."""
    red = 127 + 100 * np.sin(2 * np.pi * lon / WAVE_DEG)
    green = 127 + 100 * np.sin(2 * np.pi * lat / WAVE_DEG)
    blue = 127 + 60 * np.cos(2 * np.pi * (lon + lat) / WAVE_DEG)
    return np.stack([red, green, blue])


def centres_of(transform: Affine, width: int, height: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(x, y) of pixel centres, each [height, width]."""
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return transform * (columns, rows)


def picture_of(crs: str, transform: Affine, width: int, height: int) -> Picture:
    """uint8 [3, height, width] of the painted ground."""
    x, y = centres_of(transform, width, height)
    if crs == "EPSG:4326":
        lon, lat = x, y
    else:
        lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    return np.round(painted(np.asarray(lon), np.asarray(lat))).astype(np.uint8)


def write(path: Path, pixels: NDArray[Any], *, driver: str = "GTiff", **profile: Any) -> Path:
    """[bands, height, width] as a raster file; `colorinterp`, `mask` and `colormap` are set after writing."""
    count, height, width = pixels.shape
    late = {name: profile.pop(name, None) for name in ("colorinterp", "mask", "colormap")}
    shape = {"count": count, "height": height, "width": width, "dtype": pixels.dtype}
    with rasterio.open(path, "w", driver=driver, **shape, **profile) as data:
        data.write(pixels)
        if late["colorinterp"] is not None:
            data.colorinterp = late["colorinterp"]
        if late["mask"] is not None:
            data.write_mask(late["mask"])
        if late["colormap"] is not None:
            data.write_colormap(1, late["colormap"])
    return path


def write_painted(path: Path, crs: str, transform: Affine, width: int = 300, height: int = 260, **profile: Any) -> Path:
    """A painted raster in a reference system."""
    return write(path, picture_of(crs, transform, width, height), crs=crs, transform=transform, **profile)


def control_points(crs: str, transform: Affine, width: int, height: int) -> tuple[list[GroundControlPoint], str]:
    """Control points at the corners and in between, as a geotransform would place them."""
    points = [
        GroundControlPoint(row, column, *(transform * (column, row)), 0.0)
        for row in np.linspace(0, height, 3).tolist()
        for column in np.linspace(0, width, 3).tolist()
    ]
    return points, crs


def expected_of(tile: TileRecord, side_px: int = 256) -> NDArray[np.float64]:
    """[side, side, 3] levels at the centres of a tile's pixels, from mercantile's bounds."""
    box = mercantile.xy_bounds(int(tile.x or 0), int(tile.y or 0), int(tile.z or 0))
    steps = (np.arange(side_px) + 0.5) / side_px
    x, y = np.meshgrid(box.left + steps * (box.right - box.left), box.top - steps * (box.top - box.bottom))
    lon, lat = Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True).transform(x, y)
    return painted(np.asarray(lon), np.asarray(lat)).transpose(1, 2, 0)


def open_raster(path: Path, **options: Any) -> RasterSource:
    """The source, with options."""
    return RasterSource(path, SourceOptions(**options))


def read_all(source: RasterSource) -> dict[str, tuple[TileRecord, Picture]]:
    """Every tile that holds data."""
    table = source.list_tiles().table
    read = {}
    for tile in map(table.record, range(len(table))):
        try:
            read[tile.tile_id] = tile, np.asarray(source.read(tile))
        except TileWithoutData:
            continue
    source.close()
    return read
