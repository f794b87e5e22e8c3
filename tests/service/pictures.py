"""Pictures that tests send: honest ones, and every kind of hostile or odd one."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageChops

from tests.fakes import FakeEncoder

__all__ = ["encoded", "exif_rotated", "mosaic", "panorama_of", "png_bomb", "turned", "with_repeated_scans"]


def mosaic(seed: int, *, side_px: int = 48) -> Image.Image:
    """A picture of 3 x 3 plain cells whose colours depend on the seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), np.uint8)
    return Image.fromarray(cells).resize((side_px, side_px), Image.Resampling.NEAREST)


def panorama_of(seed: int, *, height_px: int = 64, fov_deg: float = 360.0) -> Image.Image:
    """What the fake encoder sees as the same place as `mosaic(seed)`: as high as its canvas, in degrees."""
    width_px = round(height_px * fov_deg / FakeEncoder().inputs.ground_vertical_deg)
    return mosaic(seed).resize((width_px, height_px), Image.Resampling.NEAREST)


def turned(panorama: Image.Image, heading_deg: float) -> Image.Image:
    """A north-centred panorama as a camera sees it whose centre looks elsewhere."""
    return ImageChops.offset(panorama, -round(panorama.width * heading_deg / 360.0), 0)


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


def with_repeated_scans(image: Image.Image, more: int) -> bytes:
    """A progressive JPEG whose first scan is sent `more` times over: valid, and each costs a pass over the picture."""
    data = encoded(image, "JPEG", progressive=True)
    begin = data.index(b"\xff\xda")
    end = begin + 2
    while not (data[end] == 0xFF and data[end + 1] not in (0x00, *range(0xD0, 0xD8))):
        end += 1
    return data[:begin] + data[begin:end] * more + data[begin:]


def png_bomb(side_px: int = 50_000) -> bytes:
    """A small PNG that declares, and would inflate to, gigabytes of pixels."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(20_000_000), 9)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
