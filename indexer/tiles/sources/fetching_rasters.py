"""Rasters on disk by which GDAL would fetch from the network: nothing is, unless that is asked for with `--remote`."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from indexer.common.errors import BadSource

__all__ = ["require_on_disk"]

_FETCHED = re.compile(
    r"/vsi(curl|s3|gs|az|adls|oss|swift|hdfs|webhdfs)|(https?|ftp|s3|gs)://"
    r"|^(WMS|WMTS|WCS|OGCAPI|STACIT|STACTA|NGW|EEDAI?|PLMOSAIC|DAAS|PG|IIP):|<(GDAL_)?W(MT?S|CS)",
    re.IGNORECASE,
)
_LARGEST_BYTES = 64 << 20
_HEAD_BYTES = 256
_DEEPEST = 8
_REMEDY = "nothing is fetched by way of a file on disk; download it, or give its own address with --remote"


def require_on_disk(path: Path, depth: int = 0) -> None:
    """Make sure that a raster, and all that a virtual one is made of, is read from files.

    Args:
        path: the raster; what is not there is left to whoever opens it.
        depth: of a virtual raster within others.

    Raises:
        BadSource: it names a service or an address.
    """
    text = _markup(path)
    if text is None or depth > _DEEPEST:
        return
    if not text.startswith("<VRTDataset"):
        raise BadSource(f"{path} is no raster but describes one that GDAL would fetch ({text[:40]!r}); {_REMEDY}")
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError, ValueError):  # GDAL says what is wrong with it
        return
    for element in root.iter():
        name = (element.text or "").strip()
        if element.tag not in ("SourceFilename", "SourceDataset") or not name:
            continue
        if _FETCHED.search(name):
            raise BadSource(f"{path} is made of {name[:80]!r}, which GDAL would fetch; {_REMEDY}")
        relative = "1" in (element.get("relativeToVRT"), element.get("relativetoVRT"))
        require_on_disk(path.resolve().parent / name if relative else Path(name), depth + 1)


def _markup(path: Path) -> str | None:
    """The beginning of a file of markup, None of all others."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8-sig", "replace").lstrip()
    except (OSError, ValueError):
        return None
    head = re.sub(r"^<\?xml.*?\?>\s*", "", head, flags=re.DOTALL)
    return head if head.startswith("<") else None
