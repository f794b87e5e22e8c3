"""The names of other files within the text of a virtual raster, which GDAL opens in reading it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["HEAD_BYTES", "LARGEST_BYTES", "MARKUP", "is_virtual", "markup_of", "names_in"]

LARGEST_BYTES = 64 << 20
MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*[<{\[]|[^\0]*?(<VRTDataset|stac_version)")
"""XML or JSON, and what GDAL takes for such, whatever text stands before."""
HEAD_BYTES = 4096
"""GDAL looks at 1024."""
_VIRTUAL = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml.*?\?>\s*)?<VRTDataset\b", re.DOTALL)
_SOURCE = re.compile(r"SourceFilename|SourceDataset|DEMPath", re.IGNORECASE)
_VALUE = re.compile(r"MDI|Argument", re.IGNORECASE)
_NAMES_A_FILE = re.compile(r"OVERVIEW_FILE|[XY]_DATASET|\w*dataset_filename\w*", re.IGNORECASE)
"""Keys and names of such values; those of a step of processing (`gain_dataset_filename_1`) among them."""
_LOOSE = re.compile(rf"<({_SOURCE.pattern}|{_VALUE.pattern})\b([^>]*)>([^<]*)", re.IGNORECASE)
_QUOTED = re.compile(r"""(?:key|name)\s*=\s*["']([^"']*)""", re.IGNORECASE)
_RELATIVE = re.compile(r"relativetoVRT\W+1", re.IGNORECASE)


def markup_of(path: Path) -> bytes | None:
    """A file of markup, or of JSON, None of all others."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return None
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            return head + file.read() if MARKUP.match(head) else None
    except (OSError, ValueError):
        return None


def is_virtual(path: Path) -> bool:
    """Whether a file is a virtual raster, whatever its name: GDAL looks at what it holds."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return _VIRTUAL.match(file.read(HEAD_BYTES)) is not None
    except (OSError, ValueError):
        return False


def names_in(text: str) -> list[tuple[str, bool]]:
    """(name, whether it is relative to the virtual raster) of all that one is made of, in any letters, as GDAL reads.

    GDAL takes some of what is no XML, such as a bare &.
    """
    try:
        elements = [(str(one.tag), one.attrib, one.text or "") for one in ElementTree.fromstring(text).iter()]
        found = [(str(values), name) for tag, values, name in elements if _names_a_file(tag, values)]
    except (ElementTree.ParseError, ValueError):
        loose = ((one[1], _QUOTED.search(one[2]), one[2], unescape(one[3])) for one in _LOOSE.finditer(text))
        found = [
            (values, name)
            for tag, key, values, name in loose
            if _names_a_file(tag, {} if key is None else {"name": key[1]})
        ]
    return [(name.strip(), bool(_RELATIVE.search(values))) for values, name in found if name.strip()]


def _names_a_file(tag: str, values: dict[str, str]) -> bool:
    if _SOURCE.fullmatch(tag):
        return True
    return bool(_VALUE.fullmatch(tag) and _NAMES_A_FILE.fullmatch(values.get("key") or values.get("name") or ""))
