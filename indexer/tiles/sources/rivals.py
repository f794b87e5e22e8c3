"""What lies beside a raster and says, too, where it is: a PAM file (`.aux.xml`), a world file, a `.prj`.

GDAL takes a PAM file before what a GeoTIFF says itself, and a world file after it, both without a word. A `.prj` beside
a TIFF it does not read beside a TIFF; without one a world file is a place in no reference system.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio

__all__ = ["require_one_place", "system_beside"]

_WORLD_FILES = (".tfw", ".tifw", ".tiffw", ".wld")
_SYSTEM_FILES = (".prj", ".PRJ")
_LARGEST_SYSTEM_BYTES = 1 << 16
_APART_PX = 1.0
"""How far the corners of two statements may lie apart; a world file counts from the middle of a pixel, rounded."""


def require_one_place(data: Any, path: Path) -> list[str]:
    """Remarks on a world file or a `.prj` that contradicts a GeoTIFF.

    Args:
        data: the open dataset.
        path: its file.

    Raises:
        BadSource: a PAM file contradicts it.
    """
    if data.driver != "GTiff":
        return []
    remarks = []
    pam = Path(f"{path}.aux.xml")
    if pam.is_file() and (fault := _contradiction(data, path, "PAM", pam)):
        raise BadSource(f"{fault}. Remove that file, or what is wrong in it")
    for world in (path.with_suffix(suffix) for suffix in _WORLD_FILES):
        if world.is_file() and (fault := _contradiction(data, path, "WORLDFILE", world)):
            remarks.append(f"{fault}; its own place is used, so remove the other, or write it into the file")
    return remarks + _other_system(data, path)


def system_beside(path: Path) -> tuple[Any, str] | None:
    """(reference system, name of the file) that a `.prj` beside a raster gives.

    Raises:
        BadSource: it cannot be read.
    """
    found = next((one for one in map(path.with_suffix, _SYSTEM_FILES) if one.is_file()), None)
    if found is None:
        return None
    try:
        with found.open("rb") as file:
            text = file.read(_LARGEST_SYSTEM_BYTES).decode("utf-8-sig", "replace").strip()
        return load_rasterio().crs.CRS.from_user_input(text), found.name
    except Exception as error:  # GDAL's errors have no common base
        raise BadSource(f"{found} names no reference system that is known here ({str(error)[:80]})") from error


def _other_system(data: Any, path: Path) -> list[str]:
    """A remark on a `.prj` by which a raster that names its own reference system would lie elsewhere."""
    if data.crs is None or data.transform.is_identity:
        return []
    try:
        beside = system_beside(path)
    except BadSource as error:
        return [f"{error}; its own, {str(data.crs)[:40]}, is used"]
    if beside is None or (apart_px := _apart_px(data, beside[0])) <= _APART_PX:
        return []
    return [
        f"{beside[1]} names the reference system {str(beside[0])[:40]}, by which it would lie {apart_px:,.0f} pixels "
        f"elsewhere; its own, {str(data.crs)[:40]}, is used"
    ]


def _apart_px(data: Any, crs: Any) -> float:
    """By how many pixels the corners of a raster would lie elsewhere in another reference system."""
    columns, rows = (0, data.width, 0, data.width), (0, 0, data.height, data.height)
    corners = [data.transform * place for place in zip(columns, rows, strict=True)]
    try:
        moved = load_rasterio().warp.transform(crs, data.crs, *(list(axis) for axis in zip(*corners, strict=True)))
    except Exception:  # where one does not reach, they cannot be compared; GDAL's errors have no common base
        return math.inf
    places = [~data.transform * place for place in zip(*moved, strict=True)]
    return max(max(map(abs, _minus(*pair))) for pair in zip(places, zip(columns, rows, strict=True), strict=True))


def _contradiction(data: Any, path: Path, kind: str, beside: Path) -> str:
    """How a file beside says another place than the GeoTIFF itself, empty where it does not or one says nothing."""
    own, other = _said(path, "INTERNAL"), _said(path, kind)
    if own is None or other is None:
        return ""
    corners = [(0, 0), (data.width, 0), (0, data.height), (data.width, data.height)]
    apart_px = max(max(map(abs, _minus(~own[0] * (other[0] * corner), corner))) for corner in corners)
    crs = own[1] is not None and other[1] is not None and own[1] != other[1]
    if apart_px <= _APART_PX and not crs:
        return ""
    first, second = (f"{x:.10g}, {y:.10g}" for x, y in (own[0] * (0, 0), other[0] * (0, 0)))
    systems = f" and has reference system {str(other[1])[:40]}, not {str(own[1])[:40]}" if crs else ""
    return f"{path.name} says that its corner is at {first}, and {beside.name} puts it at {second}{systems}"


def _said(path: Path, source: str) -> tuple[Any, Any] | None:
    """(transform, reference system or None) by one of GDAL's sources alone."""
    try:
        with load_rasterio().open(path, GEOREF_SOURCES=source) as data:
            placed = not data.transform.is_identity and data.transform.determinant != 0
            return (data.transform, data.crs) if placed else None
    except Exception:  # GDAL's errors have no common base; what cannot be opened is refused elsewhere
        return None


def _minus(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] - other[0], one[1] - other[1]
