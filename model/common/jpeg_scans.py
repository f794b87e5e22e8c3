"""How many scans a JPEG has: a progressive one is refined by each, and each costs a pass over all of its pixels.

A file of some kilobytes a scan may hold hundreds of them, and no decoder stops by itself. Counting reads the bytes
once and decodes nothing.
"""

from __future__ import annotations

import re

__all__ = ["MAX_SCANS", "count_scans"]

MAX_SCANS = 64
"""More than any encoder in use writes: libjpeg writes 10, MozJPEG up to 14, a scan for every component and bit 40."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends coded pixels: not a stuffed byte, a restart or a fill byte."""
_SCAN, _END = 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length: TEM, restarts, start of image."""


def count_scans(data: bytes, *, at_most: int) -> int:
    """Scans of the first picture in a JPEG file, counted up to `at_most`; what is cut off does not count.

    Example:
        >>> count_scans(b"no picture", at_most=10)
        0
    """
    if not data.startswith(b"\xff\xd8"):
        return 0
    scans, position = 0, 2
    while scans < at_most and (found := _MARKER.search(data, position)):
        marker, position = data[found.start() + 1], found.end()
        if marker == _END:
            break
        if marker in _ALONE:
            continue
        scans += marker == _SCAN
        position += max(2, int.from_bytes(data[position : position + 2], "big"))
    return scans
