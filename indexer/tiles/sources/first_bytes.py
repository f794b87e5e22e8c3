"""What a tile of an archive is by its first bytes, where the archive does not say."""

from __future__ import annotations

__all__ = ["is_picture", "is_vector"]

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")
_VECTOR = b"\x1a"
"""The first layer of a vector tile, unpacked."""


def is_picture(data: bytes) -> bool:
    """Whether it is a PNG, JPEG or WebP."""
    return data.startswith(_PICTURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def is_vector(data: bytes) -> bool:
    """Whether it is a vector tile."""
    return data.startswith(_VECTOR)
