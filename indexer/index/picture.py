"""A tile's picture on its way out: the encoded bytes as they are, or pixels as PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from model.common.errors import BadImage

__all__ = ["TileImage", "as_tile_image"]


@dataclass(frozen=True)
class TileImage:
    """Encoded picture and its media type."""

    data: bytes
    media_type: str


def as_tile_image(picture: bytes | Image.Image) -> TileImage:
    """Wrap what a source read.

    Raises:
        BadImage: bytes that are no JPEG, PNG or WebP.
    """
    if isinstance(picture, Image.Image):
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")
        return TileImage(buffer.getvalue(), "image/png")
    if picture.startswith(b"\xff\xd8\xff"):
        return TileImage(picture, "image/jpeg")
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return TileImage(picture, "image/png")
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return TileImage(picture, "image/webp")
    raise BadImage(f"the tile is not a JPEG, PNG or WebP (it starts with {picture[:8]!r})")
