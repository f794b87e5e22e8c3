"""Ground of a virtual raster that none of its files covers: GDAL draws it black where nothing says it has no data."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from indexer.common.optional import load_rasterio, load_shapely
from indexer.tiles.sources.virtual_places import virtual_parts

__all__ = ["doubts_of_gaps"]

_LARGEST_BYTES = 64 << 20
_ROUNDING_PX = 1.5
"""Files side by side may be put at fractions of a pixel."""


def doubts_of_gaps(data: Any, path: Path) -> list[str]:
    """A remark on pixels that no file gives, whatever their share: a whole tile may lie in them.

    Args:
        data: the open dataset.
        path: its file.
    """
    if data.driver != "VRT" or path.stat().st_size > _LARGEST_BYTES or not _says_all_valid(data):
        return []
    try:
        parts, sources = virtual_parts(path)
    except (ElementTree.ParseError, OSError, ValueError):  # GDAL says what is wrong with it
        return []
    bare = sources == 0 and b"subClass" in path.read_bytes()  # pixels that are warped, computed, or lie in a raw file
    if bare or len(parts) < sources:  # a file that is not said where it is put fills the whole
        return []
    shapely = load_shapely()
    whole = shapely.box(0, 0, data.width, data.height)
    boxes = [(x, y, x + width, y + height) for x, y, width, height in (part.put for part in parts)]
    grown = [shapely.box(*_grown(box)) for box in boxes]
    share = shapely.area(shapely.difference(whole, shapely.union_all(grown))) / shapely.area(whole)
    if share <= 0.0:
        return []
    return [
        f"none of its files covers {share:.3g} of it, and nothing says that this is no data, so it is drawn black; "
        "make it anew with `gdalbuildvrt -addalpha` or -vrtnodata, or give --nodata 0"
    ]


def _grown(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left - _ROUNDING_PX, top - _ROUNDING_PX, right + _ROUNDING_PX, bottom + _ROUNDING_PX


def _says_all_valid(data: Any) -> bool:
    valid = load_rasterio().enums.MaskFlags.all_valid
    return all(flags == [valid] for flags in data.mask_flag_enums)
