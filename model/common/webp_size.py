"""The size that a WebP declares, read without its library, which sets aside the whole picture when it opens one.

Layout of the three kinds of first chunk: https://developers.google.com/speed/webp/docs/riff_container
"""

from __future__ import annotations

__all__ = ["webp_size"]

_SIDE = 0x3FFF
"""A side has 14 bits, but for the extended kind."""


def webp_size(data: bytes) -> tuple[int, int] | None:
    """(width, height); None where the bytes are no WebP, or end before they say.

    Example:
        >>> webp_size(b"no picture") is None
        True
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + _number(data[24:27]), 1 + _number(data[27:30])
    if kind == b"VP8L":
        bits = _number(data[21:25])
        return 1 + (bits & _SIDE), 1 + (bits >> 14 & _SIDE)
    if kind == b"VP8 ":
        return _number(data[26:28]) & _SIDE, _number(data[28:30]) & _SIDE
    return None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
