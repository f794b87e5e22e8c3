"""A WebP with another EXIF block: the chunk EXIF; every other chunk stays as it is.

A file of a single picture gets the header that says what else it holds. Layout:
https://developers.google.com/speed/webp/docs/riff_container
"""

from __future__ import annotations

from collections.abc import Callable

from indexer.localization.exif_position import EMPTY
from model.common.webp_size import webp_size

__all__ = ["change_exif"]

_PREFIX = b"Exif\0\0"
"""Some programs write it, as in a JPEG; the container's description has none."""
_HAS_EXIF, _HAS_ALPHA = 0x08, 0x10
_ALPHA_OF_VP8L = 0x10
"""The bit of the fifth byte of a lossless picture that says so."""


def change_exif(webp: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Replace the EXIF of a WebP, or put it behind the picture.

    Args:
        webp: the encoded picture.
        change: what becomes of its block; one that says nothing stands for none.

    Raises:
        ValueError: the bytes are no whole WebP.
    """
    chunks = _chunks(webp)
    old = next((data for kind, data in chunks if kind == b"EXIF"), EMPTY)
    new = change(old.removeprefix(_PREFIX))
    rest = [(kind, data) for kind, data in chunks if kind != b"EXIF"]
    if rest[0][0] != b"VP8X":
        rest.insert(0, (b"VP8X", _header(webp, *rest[0])))
    flags = rest[0][1][0] | _HAS_EXIF
    rest[0] = b"VP8X", bytes((flags,)) + rest[0][1][1:]
    at = next((number for number, (kind, _) in enumerate(rest) if kind == b"XMP "), len(rest))
    rest.insert(at, (b"EXIF", new))
    body = b"WEBP" + b"".join(_chunk(kind, data) for kind, data in rest)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _header(webp: bytes, kind: bytes, picture: bytes) -> bytes:
    """The data of a VP8X chunk for a file of one picture."""
    size = webp_size(webp)
    if size is None or 0 in size:
        raise ValueError("a WebP of no known kind")
    alpha = kind == b"VP8L" and bool(picture[4] & _ALPHA_OF_VP8L)
    return bytes((_HAS_ALPHA if alpha else 0, 0, 0, 0)) + b"".join((side - 1).to_bytes(3, "little") for side in size)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def _chunks(webp: bytes) -> list[tuple[bytes, bytes]]:
    if webp[:4] != b"RIFF" or webp[8:12] != b"WEBP":
        raise ValueError("it is no WebP")
    found = []
    at, end = 12, min(len(webp), 8 + int.from_bytes(webp[4:8], "little"))
    while at + 8 <= end:
        size = int.from_bytes(webp[at + 4 : at + 8], "little")
        if at + 8 + size > end:
            raise ValueError("a damaged WebP")
        found.append((webp[at : at + 4], webp[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    if not found:
        raise ValueError("an empty WebP")
    return found
