"""The files that a virtual raster names and that are not there: GDAL draws nothing in their place, without an error."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

__all__ = ["missing_members"]

_LARGEST_BYTES = 64 << 20
_DEEPEST = 8


def missing_members(path: Path, depth: int = 0) -> list[str]:
    """Names of plain files that a `.vrt`, or one within it, is made of and that do not exist, as they are written.

    What lies in GDAL's own file systems (`/vsi...`) or within a file of several pictures is not looked for.
    """
    if path.suffix.lower() != ".vrt" or depth > _DEEPEST or path.stat().st_size > _LARGEST_BYTES:
        return []
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError, ValueError):  # GDAL says what is wrong with it
        return []
    missing: dict[str, None] = {}
    for element in root.iter():
        name = (element.text or "").strip()
        if element.tag not in ("SourceFilename", "SourceDataset") or not name or _is_elsewhere(name):
            continue
        relative = element.get("relativeToVRT") == "1" or element.get("relativetoVRT") == "1"
        member = path.parent / name if relative else Path(name)
        if not member.exists():
            missing[name] = None
        elif member.is_file():
            missing |= dict.fromkeys(missing_members(member, depth + 1))
    return list(missing)


def _is_elsewhere(name: str) -> bool:
    """Whether a name is no plain path: `/vsicurl/...`, `NETCDF:"a.nc":band`, an address, XML."""
    return name.startswith(("/vsi", "<")) or ":" in name[2:]
