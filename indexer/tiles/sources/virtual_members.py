"""The files that a virtual raster is made of: those that are there, and those that are not, which GDAL draws black."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from indexer.common.optional import load_rasterio
from indexer.tiles.sources.named_overviews import overview_file
from indexer.tiles.sources.virtual_names import is_virtual, markup_of, names_in

__all__ = ["file_in_name", "files_behind", "missing_members", "sidecars_of"]

_DEEPEST = 8
_ENDS = ('"', "}", "?", ":")
"""What ends a path within a name of GDAL's."""
_BESIDE_RASTER = (".aux.xml", ".ovr", ".OVR", ".ovr.aux.xml", ".msk", ".MSK", ".msk.ovr")
_IN_EITHER_CASE = (".tfw", ".tifw", ".tiffw", ".wld", ".prj", ".tab", ".rpb", ".imd", ".rpc", ".xml")
_INSTEAD_OF_SUFFIX = (".aux", "_rpc.txt", "_RPC.TXT", *_IN_EITHER_CASE, *(suffix.upper() for suffix in _IN_EITHER_CASE))
_PRODUCT = re.compile(r"IMG([-_].+?)(_R\d+C\d+)?", re.IGNORECASE)
"""Names of Pleiades and SPOT (`IMG_...`, in pieces `_R1C2`) and of ALOS (`IMG-...`): their RPCs have other names."""
_OF_PRODUCT = "RPC", "DIM", "HDR"


def sidecars_of(path: Path) -> list[Path]:
    """The files beside a raster that GDAL looks for, and the overviews that one of them names, there or not."""
    found = [Path(f"{path}{suffix}") for suffix in _BESIDE_RASTER]
    found += [path.with_name(path.stem + suffix) for suffix in _INSTEAD_OF_SUFFIX]
    found += _of_product(path)
    named = overview_file(path)
    return found if named is None else [*found, named]


def _of_product(path: Path) -> list[Path]:
    """What describes a picture of a satellite's product: `RPC_x.XML` and `DIM_x.XML` of `IMG_x_R1C1.TIF`."""
    product = _PRODUCT.fullmatch(path.stem)
    if product is None:
        return []
    ends = {product[1], product[1] + (product[2] or "")}
    suffixes = (".xml", ".XML") if product[1][0] == "_" else (".txt", ".TXT")
    return [path.with_name(kind + end + suffix) for kind in _OF_PRODUCT for end in sorted(ends) for suffix in suffixes]


def files_behind(path: Path) -> list[Path]:
    """The files that GDAL reads a raster from, itself left out; of a member within an archive, the archive.

    Of a virtual raster also those that its text names; of others what GDAL found beside them.
    """
    data: Any
    if not path.is_file() and path.suffix.lower() != ".vrt":  # an address, or a member of an archive
        return []
    try:
        with load_rasterio().open(path) as data:
            names = list(data.files)
    except Exception:  # what cannot be opened is refused where it is read; GDAL's errors have no common base
        return []
    text = markup_of(path) or b""
    for name, relative in names_in(text.decode("utf-8-sig", "replace").lstrip()) if text else ():
        names.append(str(path.resolve().parent / name) if relative else name)
    found = dict.fromkeys(file_in_name(name) or Path(name) for name in names)
    return [file for file in found if file != path]


def file_in_name(name: str) -> Path | None:
    """The file in a name such as `/vsizip//data/all.zip/a.tif` or `GTIFF_DIR:2:/data/a.tif`; None where none is."""
    for start in (at for at, letter in enumerate(name) if letter == "/"):
        text = "/" + name[start:].lstrip("/")
        for whole in (text, *(text.partition(end)[0] for end in _ENDS)):
            for path in (Path(whole), *Path(whole).parents):
                if path.is_file():
                    return path
    return None


def missing_members(path: Path, depth: int = 0) -> list[str]:
    """Names of plain files that a virtual raster, or one within it, is made of and that are not there or are pipes.

    They are given as written. What lies in GDAL's own file systems (`/vsi...`) or within a file of several pictures is
    not looked for.
    """
    if depth > _DEEPEST or not is_virtual(path):
        return []
    try:
        root = ElementTree.fromstring(markup_of(path) or b"")
    except (ElementTree.ParseError, ValueError):  # GDAL says what is wrong with it
        return []
    missing: dict[str, None] = {}
    for element in root.iter():
        name = (element.text or "").strip()
        if element.tag not in ("SourceFilename", "SourceDataset") or not name or _is_elsewhere(name):
            continue
        relative = element.get("relativeToVRT") == "1" or element.get("relativetoVRT") == "1"
        member = path.resolve().parent / name if relative else Path(name)  # as GDAL follows a link
        if not member.exists() or not all(map(_ends, (member, *sidecars_of(member)))):
            missing[name] = None
        elif member.is_file():
            missing |= dict.fromkeys(missing_members(member, depth + 1))
    return list(missing)


def _ends(path: Path) -> bool:
    """Whether GDAL does not wait for a path without end, as for a pipe; what is not there it passes over."""
    return not path.exists() or path.is_file() or path.is_dir()


def _is_elsewhere(name: str) -> bool:
    """Whether a name is no plain path: `/vsicurl/...`, `NETCDF:"a.nc":band`, an address, XML."""
    return name.startswith(("/vsi", "<")) or ":" in name[2:]
