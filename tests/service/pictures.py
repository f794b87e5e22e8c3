"""Pictures that tests send: honest ones, and every kind of hostile or odd one."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

__all__ = ["encoded", "exif_rotated", "mosaic", "panorama_of", "png_bomb"]


def mosaic(seed: int, *, side_px: int = 48) -> Image.Image:
    """A picture of 3 x 3 plain cells whose colours depend on the seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), np.uint8)
    return Image.fromarray(cells).resize((side_px, side_px), Image.Resampling.NEAREST)


def panorama_of(seed: int, *, size_px: tuple[int, int] = (384, 64)) -> Image.Image:
    """What the fake encoder sees as the same place as `mosaic(seed)`: 360 x 60 degrees, 6:1."""
    return mosaic(seed).resize(size_px, Image.Resampling.NEAREST)


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def exif_rotated(image: Image.Image, orientation: int) -> bytes:
    """A JPEG whose EXIF data asks for a turn."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, "JPEG", quality=95, exif=exif)


def png_bomb(side_px: int = 50_000) -> bytes:
    """A small PNG that declares, and would inflate to, gigabytes of pixels."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(20_000_000), 9)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
