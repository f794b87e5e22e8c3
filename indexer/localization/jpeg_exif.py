"""A JPEG with another EXIF block; every other segment, and the pixels behind them, stay as they are.

A block may stand behind the JFIF or the XMP segment. A library that looks at one place only would leave a second one.
"""

from __future__ import annotations

from collections.abc import Callable

from indexer.localization.exif_position import EMPTY

__all__ = ["change_exif"]

_START = b"\xff\xd8"
_APP0, _APP1 = 0xE0, 0xE1
_START_OF_SCAN = 0xDA
_EXIF = b"Exif\0\0"
_MAX_BLOCK_BYTES = 0xFFFF - 2


def change_exif(jpeg: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Replace the EXIF of a JPEG.

    Args:
        jpeg: the encoded picture.
        change: what becomes of its first block; one that says nothing stands for none.

    Raises:
        ValueError: the bytes are no JPEG, or the new block is too long for one.
    """
    segments = _segments(jpeg)
    blocks = [(begin, end) for marker, begin, end in segments if marker == _APP1 and _is_exif(jpeg, begin)]
    old = jpeg[blocks[0][0] + 4 + len(_EXIF) : blocks[0][1]] if blocks else EMPTY
    block = _EXIF + change(old)
    if len(block) > _MAX_BLOCK_BYTES:
        raise ValueError(f"an EXIF block of {len(block):,} bytes, and a JPEG holds {_MAX_BLOCK_BYTES:,}")
    before, rest = [_START], len(_START)
    after: list[bytes] = []
    for marker, begin, end in segments:
        if marker == _APP0 and not after:
            before.append(jpeg[begin:end])
        elif (begin, end) not in blocks:
            after.append(jpeg[begin:end])
        rest = end
    segment = bytes((0xFF, _APP1)) + (len(block) + 2).to_bytes(2, "big") + block
    return b"".join([*before, segment, *after, jpeg[rest:]])


def _is_exif(jpeg: bytes, begin: int) -> bool:
    return jpeg[begin + 4 : begin + 4 + len(_EXIF)] == _EXIF


def _segments(jpeg: bytes) -> list[tuple[int, int, int]]:
    """(marker, begin, end) of each segment before the pixels."""
    if not jpeg.startswith(_START):
        raise ValueError("it is no JPEG")
    found: list[tuple[int, int, int]] = []
    begin = len(_START)
    while True:
        marker = jpeg[begin + 1 : begin + 2]
        if jpeg[begin : begin + 1] != b"\xff" or not marker:
            raise ValueError("a damaged JPEG")
        if marker[0] == _START_OF_SCAN:
            return found
        end = begin + 2 + int.from_bytes(jpeg[begin + 2 : begin + 4], "big")
        found.append((marker[0], begin, end))
        begin = end
