"""A PNG with another EXIF block: the chunk eXIf; every other chunk stays as it is.

Layout: https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from indexer.localization.exif_position import EMPTY

__all__ = ["change_exif"]

_START = b"\x89PNG\r\n\x1a\n"
_PREFIX = b"Exif\0\0"
"""Some programs write it, as in a JPEG; the standard has none."""


def change_exif(png: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Replace the EXIF of a PNG, or put it before the pixels.

    Args:
        png: the encoded picture.
        change: what becomes of its block; one that says nothing stands for none.

    Raises:
        ValueError: the bytes are no whole PNG.
    """
    chunks = _chunks(png)
    old = next((png[begin + 8 : end - 4] for kind, begin, end in chunks if kind == b"eXIf"), EMPTY)
    new = _chunk(b"eXIf", change(old.removeprefix(_PREFIX)))
    parts, done = [_START], False
    for kind, begin, end in chunks:
        if not done and kind in (b"eXIf", b"IDAT"):
            parts.append(new)
            done = True
        if kind != b"eXIf":
            parts.append(png[begin:end])
    return b"".join([*parts, png[chunks[-1][2] :]])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _chunks(png: bytes) -> list[tuple[bytes, int, int]]:
    """(kind, begin, end) of each chunk, up to the last one."""
    if not png.startswith(_START):
        raise ValueError("it is no PNG")
    found: list[tuple[bytes, int, int]] = []
    begin = len(_START)
    while not found or found[-1][0] != b"IEND":
        end = begin + 12 + int.from_bytes(png[begin : begin + 4], "big")
        if end > len(png):
            raise ValueError("a damaged PNG")
        found.append((png[begin + 4 : begin + 8], begin, end))
        begin = end
    if all(kind != b"IDAT" for kind, _, _ in found):
        raise ValueError("a PNG without pixels")
    return found
