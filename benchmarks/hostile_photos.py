"""Photos that cost a decoder most for the bytes that they take to send; each is valid, or nearly so."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image

__all__ = ["HOSTILE"]

_WIDE = (11_300, 5_650)
"""Just below 64 megapixels."""


def _flat(mode: str = "RGB", size: tuple[int, int] = _WIDE) -> Image.Image:
    return Image.new(mode, size, (90, 120, 60, 128)[: len(mode)])


def _encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    if form == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _repeated_scans(image: Image.Image, times: int, *, last: bool = False) -> bytes:
    """A progressive JPEG, one of whose scans comes again and again."""
    data = _encoded(image, "JPEG", progressive=True)
    begin = data.rindex(b"\xff\xda") if last else data.index(b"\xff\xda")
    end = begin + 2
    while not (data[end] == 0xFF and data[end + 1] not in (0x00, *range(0xD0, 0xD8))):
        end += 1
    return data[:begin] + data[begin:end] * times + data[begin:]


def _frames() -> bytes:
    frames = [_flat(size=(4000, 2000)) for _ in range(20)]
    return _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


HOSTILE: dict[str, Callable[[], bytes]] = {
    "JPEG of 900 scans": lambda: _repeated_scans(_flat(size=(4000, 2000)), 900, last=True),
    "JPEG of 60 scans, 64 megapixels": lambda: _repeated_scans(_flat(), 50, last=True),
    "WebP of 64 megapixels, flat": lambda: _encoded(_flat("RGBA"), "WEBP", lossless=True, method=0),
    "PNG of 64 megapixels, flat": lambda: _encoded(_flat("RGBA"), "PNG"),
    "GIF of 20 frames": _frames,
    "TIFF of 64 megapixels in strips": lambda: _encoded(_flat("RGBA"), "TIFF", compression="tiff_adobe_deflate"),
    "AVIF of 32 megapixels": lambda: _encoded(_flat(size=(8000, 4000)), "AVIF", speed=10),
    "HEIC of 32 megapixels": lambda: _encoded(_flat(size=(8000, 4000)), "HEIF", quality=30),
}
"""Name -> the photo; made when it is asked for."""
