"""Where a virtual raster puts the files that it is made of, held against where they say that they lie.

GDAL follows the virtual raster without a word. One that was made of other versions of its files puts them in wrong
places, or reads beyond their edges, which it draws black.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio

__all__ = ["VirtualPart", "doubts_of_members", "virtual_parts"]

_SOURCES = frozenset({"SimpleSource", "ComplexSource", "AveragedSource", "KernelFilteredSource"})
_LARGEST_BYTES = 64 << 20
_MOST_OPENED = 64
_ROUNDING_PX = 1.5
"""Older versions of gdalbuildvrt put a file at whole pixels."""
_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class VirtualPart:
    """What a virtual raster takes of one file: boxes (column, row, width, height) there, and in itself."""

    name: str
    path: Path
    taken: _Box
    put: _Box


def doubts_of_members(data: Any, path: Path) -> list[str]:
    """Remarks on files that lie elsewhere than a virtual raster puts them; of many, some spread over it are looked at.

    Args:
        data: the open dataset.
        path: its file.

    Raises:
        BadSource: it takes pixels beyond the edge of a file.
    """
    if data.driver != "VRT" or path.stat().st_size > _LARGEST_BYTES:
        return []
    try:
        parts, _ = virtual_parts(path)
    except (ElementTree.ParseError, OSError, ValueError):  # GDAL says what is wrong with it
        return []
    places = np.unique(np.linspace(0, len(parts) - 1, min(len(parts), _MOST_OPENED)).astype(int)).tolist()
    moved = [(apart_px, parts[at].name) for at in places if (apart_px := _apart_px(data, parts[at], path)) > 0.0]
    if not moved:
        return []
    apart_px, name = max(moved)
    others = f" and {len(moved) - 1:,} more" if len(moved) > 1 else ""
    return [
        f"it puts {name}{others} {apart_px:,.0f} pixels away from where that file says that it lies, and is followed; "
        "unless that is meant, make the virtual raster anew (gdalbuildvrt)"
    ]


def virtual_parts(path: Path) -> tuple[list[VirtualPart], int]:
    """What it takes of its files, and of how many: fewer of them may say where they are put.

    Of the first band, since all others are made alike.

    Raises:
        ElementTree.ParseError: it is no XML.
        ValueError: a place is no number.
        OSError: it cannot be read.
    """
    band = ElementTree.parse(path).getroot().find("VRTRasterBand")
    sources = [] if band is None else [child for child in band if child.tag.endswith("Source")]
    return list(_parts(sources, path)), len(sources)


def _parts(sources: list[ElementTree.Element], path: Path) -> Iterator[VirtualPart]:
    for source in sources:
        file, taken, put = (source.find(tag) for tag in ("SourceFilename", "SrcRect", "DstRect"))
        if source.tag not in _SOURCES or file is None or not file.text or taken is None or put is None:
            continue
        name = file.text.strip()
        relative = "1" in (file.get("relativeToVRT"), file.get("relativetoVRT"))
        member = path.resolve().parent / name if relative else Path(name)
        yield VirtualPart(name, member, _box(taken), _box(put))


def _box(element: ElementTree.Element) -> _Box:
    x, y, width, height = (float(element.get(key, "nan")) for key in ("xOff", "yOff", "xSize", "ySize"))
    return x, y, width, height


def _apart_px(data: Any, part: VirtualPart, path: Path) -> float:
    """Pixels of the virtual raster between two statements of a file's place, 0 where they agree or one is missing."""
    rasterio = load_rasterio()
    try:
        with rasterio.open(part.path) as member:
            size, crs, transform = (member.width, member.height), member.crs, member.transform
    except Exception:  # what cannot be opened is refused where it is read; GDAL's errors have no common base
        return 0.0
    _require_within(part, size, path)
    if crs is None or data.crs is None or transform.is_identity or data.transform.is_identity:
        return 0.0
    corners = [transform * corner for corner in _corners(part.taken)]
    try:
        x, y = rasterio.warp.transform(crs, data.crs, *(list(axis) for axis in zip(*corners, strict=True)))
    except Exception:  # one of the two does not reach there
        return float("inf")
    found = [~data.transform * corner for corner in zip(x, y, strict=True)]
    apart = max(
        max(abs(one[0] - other[0]), abs(one[1] - other[1]))
        for one, other in zip(found, _corners(part.put), strict=True)
    )
    coarser = max(1.0, part.put[2] / part.taken[2], part.put[3] / part.taken[3])
    return float(apart) if not apart <= _ROUNDING_PX * coarser else 0.0


def _require_within(part: VirtualPart, size: tuple[int, int], path: Path) -> None:
    x, y, width, height = part.taken
    if x + width > size[0] + 1 or y + height > size[1] + 1:
        raise BadSource(
            f"{path} takes pixels up to {x + width:g}, {y + height:g} of {part.name}, which has {size[0]} x {size[1]}: "
            "it was made of another version of that file; make the virtual raster anew (gdalbuildvrt)"
        )


def _corners(box: _Box) -> list[tuple[float, float]]:
    x, y, width, height = box
    return [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
