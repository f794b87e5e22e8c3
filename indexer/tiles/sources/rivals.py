"""What lies beside a raster and says, too, where it is: a PAM file (`.aux.xml`), a `.tab`, a world file, a `.prj`.

GDAL takes a PAM file before what a GeoTIFF says itself, and a `.tab` and a world file after it, all without a word.
A `.prj` it does not read beside a TIFF; without one a world file is a place in no reference system.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio

__all__ = ["require_one_place", "system_beside"]

_WORLD_FILES = (".tfw", ".TFW", ".tifw", ".TIFW", ".tiffw", ".TIFFW", ".wld", ".WLD")
_TAB_FILES = (".tab", ".TAB")
_SYSTEM_FILES = (".prj", ".PRJ")
_LARGEST_SYSTEM_BYTES = 1 << 16
_LARGEST_WORLD_BYTES = 1024
_APART_PX = 1.0
"""How far the corners of two statements may lie apart; a world file counts from the middle of a pixel, rounded."""


@dataclass(frozen=True)
class _Said:
    """Where one statement puts a raster: its transform, its reference system; None of what it does not say."""

    transform: Any
    crs: Any


def require_one_place(data: Any, path: Path) -> list[str]:
    """Remarks on a world file, a `.tab` or a `.prj` that contradicts a GeoTIFF.

    Args:
        data: the open dataset.
        path: its file.

    Raises:
        BadSource: a PAM file contradicts it, or it says nothing itself and two files beside it contradict each other.
    """
    if data.driver != "GTiff":
        return []
    own, beside = _said(path, "INTERNAL"), _beside(path)
    pam = Path(f"{path}.aux.xml")
    if pam.is_file() and (fault := _moved_by(data, own, pam.name, _said(path, "PAM"), path.name)):
        raise BadSource(f"{fault}. Remove that file, or what is wrong in it")
    if own.transform is not None:
        faults = [_moved_by(data, own, name, said, path.name) for name, said in beside]
        remarks = [
            f"{fault}; its own place is used, so remove the other, or write it into the file"
            for fault in faults if fault
        ]  # fmt: skip
        return remarks + _other_system(data, path)
    said = [(pam.name, _said(path, "PAM"))] if pam.is_file() else []
    placed = [(name, one) for name, one in said + beside if one.transform is not None]
    for name, one in placed[1:]:
        if fault := _moved_by(data, placed[0][1], name, one, placed[0][0]):
            raise BadSource(f"{path}: {fault}, and the raster itself says nothing. Remove the one that is wrong")
    return _other_system(data, path)


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
    if beside is None or (apart_px := _apart_px(data, _Said(data.transform, data.crs), beside[0])) <= _APART_PX:
        return []
    return [
        f"{beside[1]} names the reference system {str(beside[0])[:40]}, by which it would lie {apart_px:,.0f} pixels "
        f"elsewhere; its own, {str(data.crs)[:40]}, is used"
    ]


def _apart_px(data: Any, said: _Said, crs: Any) -> float:
    """By how many pixels the corners of a raster would lie elsewhere in another reference system."""
    columns, rows = (0, data.width, 0, data.width), (0, 0, data.height, data.height)
    corners = [said.transform * place for place in zip(columns, rows, strict=True)]
    try:
        moved = load_rasterio().warp.transform(crs, said.crs, *(list(axis) for axis in zip(*corners, strict=True)))
    except Exception:  # where one does not reach, they cannot be compared; GDAL's errors have no common base
        return math.inf
    places = [~said.transform * place for place in zip(*moved, strict=True)]
    return max(max(map(abs, _minus(*pair))) for pair in zip(places, zip(columns, rows, strict=True), strict=True))


def _beside(path: Path) -> list[tuple[str, _Said]]:
    """What a MapInfo `.tab` and each world file beside a raster say, by name, in the order in which GDAL asks."""
    found = [(tab.name, _said(path, "TABFILE")) for tab in map(path.with_suffix, _TAB_FILES) if tab.is_file()]
    worlds = [world for world in map(path.with_suffix, _WORLD_FILES) if world.is_file()]
    return found + [(world.name, _Said(_of_world_file(world), None)) for world in worlds]


def _moved_by(data: Any, first: _Said, name: str, second: _Said, first_name: str) -> str:
    """How one statement puts a raster elsewhere than another, empty where it does not or one says nothing."""
    apart_px = 0.0
    if first.transform is not None and second.transform is not None:
        corners = [(0, 0), (data.width, 0), (0, data.height), (data.width, data.height)]
        moved = [~first.transform * (second.transform * corner) for corner in corners]
        apart_px = max(max(map(abs, _minus(*pair))) for pair in zip(moved, corners, strict=True))
    system = ""
    systems = first.crs is not None and second.crs is not None and first.crs != second.crs
    if systems and first.transform is not None and _apart_px(data, first, second.crs) > _APART_PX:
        system = f" has reference system {str(second.crs)[:40]}, not {str(first.crs)[:40]}"
    if apart_px <= _APART_PX:
        return f"{first_name} says where it lies, and {name}{system}" if system else ""
    here, there = (f"{x:.10g}, {y:.10g}" for x, y in (first.transform * (0, 0), second.transform * (0, 0)))
    return f"{first_name} says that its corner is at {here}, and {name} puts it at {there}{system and f' and{system}'}"


def _said(path: Path, source: str) -> _Said:
    """What one of GDAL's sources alone says."""
    try:
        with load_rasterio().open(path, GEOREF_SOURCES=source) as data:
            placed = not data.transform.is_identity and data.transform.determinant != 0
            return _Said(data.transform if placed else None, data.crs)
    except Exception:  # GDAL's errors have no common base; what cannot be opened is refused elsewhere
        return _Said(None, None)


def _of_world_file(path: Path) -> Any:
    """The transform of six numbers, a line each, which count from the middle of the first pixel; None where it is none.

    GDAL takes decimal commas, too.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_WORLD_BYTES).decode("ascii", "replace")
        across, turn_y, turn_x, down, x, y = (float(part.replace(",", ".")) for part in text.split()[:6])
    except (OSError, ValueError):
        return None
    affine = load_rasterio().Affine
    transform = affine(across, turn_x, x, turn_y, down, y) * affine.translation(-0.5, -0.5)
    return transform if math.isfinite(transform.determinant) and transform.determinant != 0 else None


def _minus(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] - other[0], one[1] - other[1]
