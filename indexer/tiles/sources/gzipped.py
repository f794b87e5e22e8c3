"""Tiles that an archive keeps compressed with gzip, as some writers do even with pictures."""

from __future__ import annotations

import gzip
import io
import zlib

__all__ = ["LARGEST_TILE_BYTES", "is_gzipped", "unpacked"]

LARGEST_TILE_BYTES = 64 << 20
_MAGIC = b"\x1f\x8b"


def is_gzipped(data: bytes) -> bool:
    """Whether bytes are compressed with gzip: no picture begins so."""
    return data.startswith(_MAGIC)


def unpacked(data: bytes) -> bytes:
    """The bytes as they are, or decompressed where they are gzip's.

    Raises:
        ValueError: they are damaged, or unpack to more than a picture of a tile has.
    """
    if not is_gzipped(data):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(LARGEST_TILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:  # gzip has no error of its own for every damage
        raise ValueError(f"cannot be decompressed: {error}") from error
    if len(content) > LARGEST_TILE_BYTES:
        raise ValueError(f"unpacks to more than {LARGEST_TILE_BYTES:,} bytes")
    return content
