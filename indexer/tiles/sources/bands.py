"""One raster file: what it holds, and a window of it drawn as 8-bit RGB with a mask of where there is data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio
from indexer.tiles.grid import mercator_m
from indexer.tiles.region import BoxRegion
from model.common.geo import Bounds

__all__ = ["RasterFile", "inspect_raster", "render_window"]

_MERCATOR = "EPSG:3857"
_MERCATOR_LAT = 85.05112877980659
"""Where the square Web Mercator map ends."""
_OVERVIEW_PX = 512
_PERCENTILES = (2.0, 98.0)


@dataclass(frozen=True)
class RasterFile:
    """What is known of a file without reading tiles.

    Attributes:
        name: relative to the source's root.
        bounds: in degrees, cut to the Web Mercator map.
        mercator_res_m: its pixel in projected metres of EPSG:3857.
        bands: the three bands (from 1) drawn as red, green and blue.
        palette: uint8 [256, 3] colours of a paletted band, or None.
        value_range: values drawn as black and white, or None where the file is 8-bit.
        has_nodata: whether a value stands for no data.
        size_bytes: of the file.
        mtime_ns: of the file.
    """

    name: str
    bounds: Bounds
    mercator_res_m: float
    bands: tuple[int, int, int]
    palette: NDArray[np.uint8] | None
    value_range: tuple[float, float] | None
    has_nodata: bool
    size_bytes: int
    mtime_ns: int

    def open(self, root: Path) -> Any:
        """A new dataset handle."""
        return load_rasterio().open(root / self.name)

    def touches(self, bounds: Bounds) -> bool:
        """Whether its extent meets a box."""
        return bool(BoxRegion(bounds).mask(*self.bounds.as_tuple()).all())


def inspect_raster(root: Path, name: str, bands: tuple[int, ...] | None) -> RasterFile:
    """Look into a file.

    Raises:
        BadSource: it is damaged, has no place on Earth, or not the bands asked for.
        MissingExtra: rasterio is not installed.
    """
    rasterio, path = load_rasterio(), root / name
    try:
        with rasterio.open(path) as data:
            if data.crs is None or data.transform.is_identity:
                raise BadSource(f"{path} has no coordinate reference system or transform; georeference it first")
            chosen = _choose_bands(data, bands, path)
            stat = path.stat()
            return RasterFile(
                name=name,
                bounds=_geographic_bounds(rasterio, data, path),
                mercator_res_m=_mercator_res_m(rasterio, data),
                bands=chosen,
                palette=_palette(data, chosen),
                value_range=None if data.dtypes[chosen[0] - 1] == "uint8" else _value_range(data, chosen),
                has_nodata=data.nodata is not None,
                size_bytes=stat.st_size,
                mtime_ns=stat.st_mtime_ns,
            )
    except rasterio.errors.RasterioError as error:
        raise BadSource(f"{path} cannot be opened as a raster: {error.__cause__ or error}") from error


def render_window(
    data: Any, file: RasterFile, bounds: Bounds, side_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """uint8 [side, side, 3] of a box in degrees, north up, and bool [side, side] of where there is data."""
    rasterio = load_rasterio()
    (west, east), (south, north) = mercator_m([bounds.south, bounds.north], [bounds.west, bounds.east])
    resampling = rasterio.enums.Resampling.nearest if file.palette is not None else rasterio.enums.Resampling.bilinear
    with rasterio.vrt.WarpedVRT(
        data,
        crs=_MERCATOR,
        transform=rasterio.transform.from_bounds(west, south, east, north, side_px, side_px),
        width=side_px,
        height=side_px,
        resampling=resampling,
        add_alpha=not file.has_nodata and not _has_alpha(data),  # marks what lies outside the file
    ) as window:
        values = window.read(list(file.bands))
        valid = window.dataset_mask() > 0
    return _eight_bit(values, file), valid


def _eight_bit(values: NDArray[Any], file: RasterFile) -> NDArray[np.uint8]:
    """[3, H, W] of any type to uint8 [H, W, 3]."""
    if file.palette is not None:
        coloured: NDArray[np.uint8] = file.palette[values[0].astype(np.uint8)]
        return coloured
    if file.value_range is not None:
        low, high = file.value_range
        scaled = (values.astype(np.float32) - low) / (high - low) * 255.0
        values = np.clip(np.nan_to_num(scaled), 0, 255)
    return np.ascontiguousarray(values.astype(np.uint8).transpose(1, 2, 0))


def _choose_bands(data: Any, asked: tuple[int, ...] | None, path: Path) -> tuple[int, int, int]:
    """Those asked for; else red, green and blue where the file names them, else the first three; grey is tripled."""
    if asked is not None:
        if len(asked) not in (1, 3) or not all(1 <= band <= data.count for band in asked):
            raise BadSource(f"bands {asked} of {path}; it has bands 1 to {data.count}, give one or three of them")
        chosen = list(asked)
    else:
        named = {colour.name: band for band, colour in reversed(list(enumerate(data.colorinterp, start=1)))}
        data_bands = [band for band in range(1, data.count + 1) if data.colorinterp[band - 1].name != "alpha"]
        chosen = [named[colour] for colour in ("red", "green", "blue") if colour in named]
        chosen = chosen if len(chosen) == 3 else data_bands[:3]
    if not chosen:
        raise BadSource(f"{path} has no band but an alpha channel")
    red, green, blue = chosen if len(chosen) == 3 else [chosen[0]] * 3
    return red, green, blue


def _has_alpha(data: Any) -> bool:
    return any(colour.name == "alpha" for colour in data.colorinterp)


def _palette(data: Any, bands: tuple[int, int, int]) -> NDArray[np.uint8] | None:
    if data.colorinterp[bands[0] - 1].name != "palette":
        return None
    colours = np.zeros((256, 3), np.uint8)
    for value, colour in data.colormap(bands[0]).items():
        if value < 256:
            colours[value] = colour[:3]
    return colours


def _value_range(data: Any, bands: tuple[int, int, int]) -> tuple[float, float]:
    """Values to draw as black and white, over all bands together so that colours keep their balance."""
    scale = min(1.0, _OVERVIEW_PX / max(data.width, data.height))
    shape = (3, max(1, round(data.height * scale)), max(1, round(data.width * scale)))
    sample = data.read(list(bands), out_shape=shape, masked=True).astype(np.float64)
    values = sample.compressed()
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, _PERCENTILES).tolist()
    return low, max(high, low + 1e-6)


def _geographic_bounds(rasterio: Any, data: Any, path: Path) -> Bounds:
    west, south, east, north = rasterio.warp.transform_bounds(data.crs, "EPSG:4326", *data.bounds, densify_pts=21)
    south, north = max(south, -_MERCATOR_LAT), min(north, _MERCATOR_LAT)
    if not all(np.isfinite((west, south, east, north))) or south >= north:
        raise BadSource(f"{path} lies outside the Web Mercator map: {(west, south, east, north)} degrees")
    return Bounds(max(west, -180.0), south, min(east, 180.0), north)


def _mercator_res_m(rasterio: Any, data: Any) -> float:
    transform, _, _ = rasterio.warp.calculate_default_transform(
        data.crs, _MERCATOR, data.width, data.height, *data.bounds
    )
    return abs(float(transform.a))
