"""Small GeoTIFFs made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

EAST_M, NORTH_M = 1_000_000.0, 6_000_000.0
"""North-western corner in EPSG:3857, unless another transform is given."""


def write_raster(
    path: Path, pixels: Any = None, *, crs: str | None = "EPSG:3857", res: float = 2.0, **profile: Any
) -> Path:
    """[bands, H, W] at `res` units a pixel; a colour gradient if none is given."""
    if pixels is None:
        ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
        pixels = np.stack([ramp, ramp.T, np.full_like(ramp, 50)])
    count, height, width = pixels.shape
    colours, masks = profile.pop("colorinterp", None), profile.pop("mask", None)
    profile.setdefault("transform", from_origin(EAST_M, NORTH_M, res, res))
    shape = {"count": count, "height": height, "width": width, "dtype": pixels.dtype, "crs": crs}
    with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as data:
        data.write(pixels)
        if colours is not None:
            data.colorinterp = colours
        if masks is not None:
            data.write_mask(masks)
    return path
