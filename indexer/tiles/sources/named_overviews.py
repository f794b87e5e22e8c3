"""The overviews that a raster's PAM file (`.aux.xml`) names, anywhere: GDAL reads shallow zooms from them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

__all__ = ["overview_file", "overviews_named"]

_LARGEST_BYTES = 16 << 20
_BESIDE = ":::BASE:::"
"""Stands for the folder of the raster."""


def overviews_named(path: Path) -> str:
    """The name as it is written, empty where there is none.

    Args:
        path: the raster, not the file beside it.
    """
    beside = Path(f"{path}.aux.xml")
    try:
        if not beside.is_file() or beside.stat().st_size > _LARGEST_BYTES:
            return ""
        root = ElementTree.parse(beside).getroot()
    except (ElementTree.ParseError, OSError, ValueError):
        return ""
    for entry in root.iter("MDI"):
        if (entry.get("key") or "").upper() == "OVERVIEW_FILE" and (entry.text or "").strip():
            return str(entry.text).strip()
    return ""


def overview_file(path: Path) -> Path | None:
    """The file that is named, None where there is none; whether it is there is not looked at."""
    named = overviews_named(path)
    if not named:
        return None
    return path.parent / named.removeprefix(_BESIDE) if named.startswith(_BESIDE) else Path(named)
