"""The overviews that a raster names, anywhere: GDAL reads shallow zooms from them.

The name stands in the PAM file beside it (`.aux.xml`), in the text of a virtual raster, or among a GeoTIFF's own tags.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any
from xml.etree import ElementTree

from indexer.common.optional import load_rasterio
from indexer.tiles.sources.virtual_names import markup_of

__all__ = ["overview_file", "overviews_in_tags", "overviews_named"]

_LARGEST_BYTES = 16 << 20
_BESIDE = ":::BASE:::"
"""Stands for the folder of the raster."""
_KEY, _DOMAIN = "OVERVIEW_FILE", "OVERVIEWS"
_KEPT = 4096


def overviews_named(path: Path) -> str:
    """The name as it is written, empty where there is none.

    Args:
        path: the raster, not the file beside it.
    """
    beside = Path(f"{path}.aux.xml")
    try:
        small = beside.is_file() and beside.stat().st_size <= _LARGEST_BYTES
        if small and (named := _in_markup(beside.read_bytes())):
            return named
        stat = path.stat()
    except (OSError, ValueError):
        return ""
    if not S_ISREG(stat.st_mode):
        return ""
    return _own(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


def overview_file(path: Path) -> Path | None:
    """The file that is named, None where there is none; whether it is there is not looked at."""
    named = overviews_named(path)
    if not named:
        return None
    return path.parent / named.removeprefix(_BESIDE) if named.startswith(_BESIDE) else Path(named)


@lru_cache(_KEPT)
def _own(path: Path, *_state: int) -> str:
    """What a raster itself says, which is looked up again only when the file has changed."""
    text = markup_of(path)
    return overviews_in_tags(path) if text is None else _in_markup(text)  # opened, markup could lead elsewhere


def overviews_in_tags(path: Path | str) -> str:
    """The name among the tags of a raster that is no markup, empty where there is none.

    Args:
        path: a file, or a name that GDAL takes for one within an archive.
    """
    data: Any
    rasterio = load_rasterio()
    try:
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(path) as data:  # and nothing beside
            return str(data.tags(ns=_DOMAIN).get(_KEY, "")).strip()
    except Exception:  # what cannot be opened is refused where it is read; GDAL's errors have no common base
        return ""


def _in_markup(text: bytes) -> str:
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return ""
    for entry in root.iter("MDI"):
        if (entry.get("key") or "").upper() == _KEY and (entry.text or "").strip():
            return str(entry.text).strip()
    return ""
