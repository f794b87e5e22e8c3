"""A HEIC or AVIF with another EXIF block: it is put at the end of the file, and the table of places points to it.

So nothing else moves. The old block is blanked. A file without a block has no entry in that table to be changed, and an
entry more would move all pixels: it is refused. Layout: ISO/IEC 14496-12 (boxes), 23008-12 (HEIF).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["change_exif"]

_PREFIX = b"Exif\0\0"


@dataclass(frozen=True)
class _Place:
    """Where an item lies, and where in the file that is said.

    Attributes:
        base: added to the offset.
        offset: where the item begins, likewise its `length` in bytes.
        offset_at: place of the number that says the offset; likewise `length_at`.
        number_bytes: of those two numbers.
    """

    base: int
    offset: int
    length: int
    offset_at: int
    length_at: int
    number_bytes: tuple[int, int]


class _Reader:
    """Big-endian numbers, one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.at, self.end = data, at, end

    def number(self, size: int) -> int:
        if self.at + size > self.end:
            raise ValueError("a box of it ends too early")
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")


def change_exif(heif: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Replace the EXIF of a HEIC or AVIF.

    Args:
        heif: the encoded picture.
        change: what becomes of its block.

    Raises:
        ValueError: the bytes are damaged, or hold no EXIF, or it lies where it cannot be replaced.
    """
    boxes = list(_boxes(heif, 0, len(heif)))
    meta = next(((begin + 4, end) for kind, begin, end in boxes if kind == b"meta"), None)
    if meta is None or boxes[0][0] != b"ftyp":
        raise ValueError("it is no HEIC or AVIF")
    inner = {kind: (begin, end) for kind, begin, end in _boxes(heif, *meta)}
    if b"iinf" not in inner or b"iloc" not in inner:
        raise ValueError("it has no EXIF that could be changed")
    place = _place_of(heif, inner[b"iloc"], _exif_item(heif, inner[b"iinf"]))
    begin, end = place.base + place.offset, place.base + place.offset + place.length
    if not (end <= meta[0] or meta[1] <= begin) or not begin + 4 <= end <= len(heif):
        raise ValueError("its EXIF lies beyond its end, or in its tables")
    skipped = int.from_bytes(heif[begin : begin + 4], "big")
    head, old = heif[begin : begin + 4 + skipped], heif[begin + 4 + skipped : end]
    if old.startswith(_PREFIX):
        head, old = head + _PREFIX, old.removeprefix(_PREFIX)
    return _moved(heif, place, head + change(old), to_the_end=boxes[-1][2] == len(heif) and _open_ended(heif, boxes))


def _moved(heif: bytes, place: _Place, item: bytes, *, to_the_end: bool) -> bytes:
    changed = bytearray(heif)
    begin = place.base + place.offset
    changed[begin : begin + place.length] = bytes(place.length)
    if not to_the_end:  # else the last box holds whatever comes
        changed += (8 + len(item)).to_bytes(4, "big") + b"mdat"
    offset = len(changed) - place.base
    for value, at, size in zip(
        (offset, len(item)), (place.offset_at, place.length_at), place.number_bytes, strict=True
    ):
        if value >= 1 << (8 * size):
            raise ValueError("its table of places has no room for the end of the file")
        changed[at : at + size] = value.to_bytes(size, "big")
    return bytes(changed + item)


def _open_ended(heif: bytes, boxes: list[tuple[bytes, int, int]]) -> bool:
    """Whether the last box says that it goes on to the end of the file."""
    start = boxes[-2][2] if len(boxes) > 1 else 0
    return heif[start : start + 4] == bytes(4)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, begin, end) of the contents of each box."""
    while at + 8 <= end:
        size, kind, begin = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if size == 1:
            size, begin = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        box_end = end if size == 0 else at + size
        if not begin <= box_end <= end:
            raise ValueError("a box of it is longer than what holds it")
        yield kind, begin, box_end
        at = box_end


def _exif_item(heif: bytes, box: tuple[int, int]) -> int:
    reader = _Reader(heif, *box)
    reader.number(2 if reader.number(4) >> 24 == 0 else 4)  # how many there are
    for kind, begin, end in _boxes(heif, reader.at, box[1]):
        entry = _Reader(heif, begin, end)
        version = entry.number(4) >> 24
        if kind == b"infe" and version >= 2:
            item = entry.number(2 if version == 2 else 4)
            entry.number(2)
            if heif[entry.at : entry.at + 4] == b"Exif":
                return item
    raise ValueError("it has no EXIF that could be changed")


def _place_of(heif: bytes, box: tuple[int, int], item: int) -> _Place:
    reader = _Reader(heif, *box)
    version = reader.number(4) >> 24
    sizes = reader.number(2)
    offset_bytes, length_bytes, base_bytes, index_bytes = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2
    for _ in range(reader.number(wide)):
        number = reader.number(wide)
        method = reader.number(2) & 15 if version else 0
        source = reader.number(2)
        base, extents = reader.number(base_bytes), reader.number(2)
        for _ in range(extents):
            reader.number(index_bytes if version else 0)
            offset_at, offset = reader.at, reader.number(offset_bytes)
            length_at, length = reader.at, reader.number(length_bytes)
            if number == item and (method or source or extents != 1):
                raise ValueError("its EXIF lies in parts, or in another box or file")
            if number == item:
                return _Place(base, offset, length, offset_at, length_at, (offset_bytes, length_bytes))
    raise ValueError("its table of places does not name its EXIF")
