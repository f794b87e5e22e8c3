"""Rasters on disk by which GDAL would fetch from the network: nothing is, unless that is asked for with `--remote`."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.common.errors import BadSource
from indexer.tiles.sources.named_overviews import overviews_in_tags, overviews_named
from indexer.tiles.sources.packed_members import Archives, is_packed
from indexer.tiles.sources.virtual_members import file_in_name
from indexer.tiles.sources.virtual_names import markup_of, names_in

__all__ = ["require_on_disk"]

_FETCHED = re.compile(
    r"/vsi(curl|s3|gs|az|adls|oss|swift|hdfs|webhdfs)|(https?|ftp|s3|gs)://"
    r"|^(WMS|WMTS|WCS|OGCAPI|STACIT|STACTA|NGW|EEDAI?|PLMOSAIC|DAAS|PG|IIP):|<(GDAL_)?W(MT?S|CS)",
    re.IGNORECASE,
)
_HEAD_BYTES = 256
_DEEPEST = 8
_REMEDY = "nothing is fetched by way of a file on disk; download it, or give its own address with --remote"


def require_on_disk(path: Path) -> None:
    """Make sure that a raster, and all that a virtual one is made of, is read from files.

    Args:
        path: the raster; what is not there is left to whoever opens it.

    Raises:
        BadSource: it names a service or an address, or something that cannot be looked into.
    """
    if is_packed(name := str(path)) and _FETCHED.match(name):  # asked for with --remote
        return
    with Archives() as archives:
        _require(name, archives, 0)


def _require(name: str, archives: Archives, depth: int) -> None:
    """`require_on_disk` of a name as GDAL takes it, of a virtual raster within so many others."""
    name = name if is_packed(name) else _plain(name)
    data = archives.markup(name) if is_packed(name) else markup_of(Path(name))
    named = "" if is_packed(name) else overviews_named(Path(name))
    named = overviews_in_tags(name) if is_packed(name) and data is None else named
    if _FETCHED.search(named):
        raise BadSource(f"{name} has its overviews in {named[:80]!r}, which GDAL would fetch; {_REMEDY}")
    if data is None or depth > _DEEPEST:
        return
    text = data.decode("utf-8-sig", "replace").lstrip()
    head = re.sub(r"^<\?xml.*?\?>\s*", "", text[:_HEAD_BYTES], flags=re.DOTALL)
    if not head.startswith("<VRTDataset"):
        raise BadSource(f"{name} is no raster but describes one that GDAL would fetch ({head[:40]!r}); {_REMEDY}")
    for member, relative in names_in(text):
        if _FETCHED.search(member):
            raise BadSource(f"{name} is made of {member[:80]!r}, which GDAL would fetch; {_REMEDY}")
        _require(_joined(name, member) if relative else member, archives, depth + 1)


def _joined(virtual: str, member: str) -> str:
    """A name that is relative to a virtual raster."""
    if is_packed(virtual) and not member.startswith("/"):
        return f"{virtual.rpartition('/')[0]}/{member}"
    return member if is_packed(member) else str(Path(virtual).resolve().parent / member)


def _plain(name: str) -> str:
    """The file within a name such as `vrt:///data/a.vrt?bands=1`, or the name."""
    if Path(name).exists() or ":" not in name:
        return name
    file = file_in_name(name)
    return name if file is None else str(file)
