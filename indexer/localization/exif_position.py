"""Another position in an EXIF block, all else of it left where it is.

An EXIF block is a TIFF: a header that says where the first directory lies, and directories whose entries say where
long values lie. What is new, the directory of positions and the first one that points to it, is put behind the block's
end, and only the header is changed. So every other byte keeps its place, and with it what libraries drop or break:
notes of the camera's maker, unknown tags, previews. The old position is blanked. Layout: CIPA DC-008 (EXIF 2.32),
TIFF 6.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from model.common.geo import LatLon

__all__ = ["EMPTY", "with_position"]

EMPTY = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"
"""A block that says nothing."""

_ByteOrder = Literal["little", "big"]
_ENTRY_BYTES = 12
_GPS = 0x8825
_BYTE, _ASCII, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 4, 5, 7
_KIND_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_ARC_SECOND_PARTS = 10_000
"""A ten-thousandth of a second of arc is 3 mm."""
_LONGEST_BYTES = 4096
"""Of a value that is blanked; what is longer is no part of a position."""
_ABOUT_ANOTHER_PLACE = frozenset({0, 1, 2, 3, 4, 5, 6, 11, 18, 27, 28, 31})
"""Tags of a receiver's position, altitude, dilution, datum, method, area and error: they speak of the position that is
replaced."""


@dataclass(frozen=True)
class _Entry:
    """One of a directory: its tag, its twelve bytes, and where its value lies if it is not among them."""

    tag: int
    data: bytes
    value: tuple[int, int] | None


def with_position(block: bytes, place: LatLon) -> bytes:
    """The block with that position.

    Args:
        block: a TIFF structure, as it stands in a photo or as a TIFF file is.
        place: WGS 84.

    Raises:
        ValueError: the block is damaged, or a BigTIFF.
    """
    order = _byte_order(block)
    first_at = int.from_bytes(block[4:8], order)
    first, after_first = _directory(block, first_at, order)
    changed = bytearray(block)
    if len(changed) % 2:
        changed += b"\0"
    kept = []
    for pointer in (entry for entry in first if entry.tag == _GPS):
        old_at = int.from_bytes(pointer.data[8:], order)
        old, _ = _directory(block, old_at, order)
        if first_at < old_at + _size(old) and old_at < first_at + _size(first):
            raise ValueError("its directories lie in each other")
        kept = [entry for entry in old if entry.tag not in _ABOUT_ANOTHER_PLACE]
        _blank(changed, old_at, old)
    gps_at = _append(changed, [*kept, *_position(changed, place, order)], 0, order)
    pointer = _entry(_GPS, _LONG, 1, gps_at.to_bytes(4, order), order)
    entries = [*(entry for entry in first if entry.tag != _GPS), pointer]
    changed[4:8] = _append(changed, entries, after_first, order).to_bytes(4, order)
    return bytes(changed)


def _byte_order(block: bytes) -> _ByteOrder:
    if block[:4] == b"II*\0":
        return "little"
    if block[:4] == b"MM\0*":
        return "big"
    raise ValueError("a BigTIFF" if block[:4] in (b"II+\0", b"MM\0+") else "it does not begin as a TIFF does")


def _directory(block: bytes, at: int, order: _ByteOrder) -> tuple[list[_Entry], int]:
    """The entries at an offset, and where the next directory lies."""
    count = int.from_bytes(block[at : at + 2], order)
    begin, end = at + 2, at + 2 + _ENTRY_BYTES * count
    if at < 8 or end > len(block):
        raise ValueError("a directory of it lies beyond its end")
    entries = [_read(block[here : here + _ENTRY_BYTES], order) for here in range(begin, end, _ENTRY_BYTES)]
    return entries, int.from_bytes(block[end : end + 4], order)


def _read(data: bytes, order: _ByteOrder) -> _Entry:
    tag, kind, count = (int.from_bytes(data[at:to], order) for at, to in ((0, 2), (2, 4), (4, 8)))
    size = _KIND_BYTES.get(kind, 0) * count
    return _Entry(tag, data, (int.from_bytes(data[8:], order), size) if size > 4 else None)


def _blank(block: bytearray, at: int, entries: list[_Entry]) -> None:
    """Zeros in place of a directory and of those of its long values that are not kept."""
    for entry in entries:
        if entry.tag in _ABOUT_ANOTHER_PLACE and entry.value is not None:
            begin, size = entry.value
            if begin < 8 or begin + size > len(block) or size > _LONGEST_BYTES:
                raise ValueError("a value of its position lies beyond its end, or is too long")
            block[begin : begin + size] = bytes(size)
    block[at : at + _size(entries)] = bytes(_size(entries))


def _size(entries: list[_Entry]) -> int:
    return 2 + _ENTRY_BYTES * len(entries)


def _append(block: bytearray, entries: list[_Entry], after: int, order: _ByteOrder) -> int:
    """Put a directory at the end; returns where it lies."""
    at = len(block)
    block += len(entries).to_bytes(2, order)
    for entry in sorted(entries, key=lambda entry: entry.tag):
        block += entry.data
    block += after.to_bytes(4, order)
    return at


def _position(block: bytearray, place: LatLon, order: _ByteOrder) -> list[_Entry]:
    """The entries of a position; their long values are put at the end."""
    north, east = place.lat >= 0, place.lon >= 0
    values = (
        (0, _BYTE, 4, bytes((2, 3, 0, 0))),
        (1, _ASCII, 2, b"N\0" if north else b"S\0"),
        (2, _RATIONAL, 3, _sexagesimal(place.lat, order)),
        (3, _ASCII, 2, b"E\0" if east else b"W\0"),
        (4, _RATIONAL, 3, _sexagesimal(place.lon, order)),
        (27, _UNDEFINED, 29, b"ASCII\0\0\0clnet-geolocalization"),
    )
    entries = []
    for tag, kind, count, value in values:
        if len(value) > 4:
            at = len(block)
            block += value + b"\0" * (len(value) % 2)
            value = at.to_bytes(4, order)
        entries.append(_entry(tag, kind, count, value.ljust(4, b"\0"), order))
    return entries


def _entry(tag: int, kind: int, count: int, value: bytes, order: _ByteOrder) -> _Entry:
    return _Entry(tag, tag.to_bytes(2, order) + kind.to_bytes(2, order) + count.to_bytes(4, order) + value, None)


def _sexagesimal(degrees: float, order: _ByteOrder) -> bytes:
    """Degrees, minutes and seconds, each as two numbers."""
    parts = round(abs(Fraction(degrees)) * 3600 * _ARC_SECOND_PARTS)
    minutes, seconds = divmod(parts, 60 * _ARC_SECOND_PARTS)
    numbers = (minutes // 60, 1, minutes % 60, 1, seconds, _ARC_SECOND_PARTS)
    return b"".join(number.to_bytes(4, order) for number in numbers)
