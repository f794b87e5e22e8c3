"""What lies beside a raster and says, too, where it is: a PAM file (`.aux.xml`) and a world file.

GDAL takes a PAM file before what a GeoTIFF says itself, and a world file after it, both without a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio

__all__ = ["require_one_place"]

_WORLD_FILES = (".tfw", ".tifw", ".tiffw", ".wld")
_APART_PX = 1.0
"""How far the corners of two statements may lie apart; a world file counts from the middle of a pixel, rounded."""


def require_one_place(data: Any, path: Path) -> list[str]:
    """Remarks on a world file that contradicts a GeoTIFF.

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
    return remarks


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
