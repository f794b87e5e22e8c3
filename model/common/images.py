"""Checked image decoding: bytes or a path in, an upright RGB picture out, or `BadImage` with the reason.

Only JPEG, PNG and WebP are tried, the pixel count is checked before any pixel is decoded, and a JPEG much larger
than needed is decoded at a reduced scale. Training, evaluation, indexing and the service all decode here.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from model.common.errors import BadImage

__all__ = ["IMAGE_SUFFIXES", "MAX_PIXELS", "declared_pixels", "decode_image"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
MAX_PIXELS = 64_000_000
"""Default limit of a picture's width times height."""
_MAX_SIDE_PX = 65_535
"""What JPEG can tell. A PNG may be a column of millions of rows, and each row costs 8 bytes beside its pixels."""

_FORMATS = ("JPEG", "PNG", "WEBP")
_NEUTRAL = (128, 128, 128)


def decode_image(
    source: bytes | Path, *, at_least_px: tuple[int, int] | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Decode a picture to upright 8-bit RGB.

    EXIF orientation is applied, 16-bit values are scaled, transparent parts turn mid-grey, and of an animation the
    first frame is taken.

    Args:
        source: the encoded bytes, or the file that holds them.
        at_least_px: (width, height) that the caller will resize to; a larger JPEG may come back smaller than it is,
            but never below this.
        max_pixels: width times height beyond which the picture is refused undecoded.

    Raises:
        BadImage: empty, truncated, too large, or not a JPEG, PNG or WebP.
        OSError: the file cannot be read.
    """
    name = str(source) if isinstance(source, Path) else "the image"
    data = source.read_bytes() if isinstance(source, Path) else source
    if not data:
        raise BadImage(f"{name} is empty (0 bytes); send a JPEG, PNG or WebP")
    try:
        return _decode(data, name, at_least_px, max_pixels)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage(f"{name} is not a JPEG, PNG or WebP (it starts with {data[:8]!r})") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage(f"{name} declares more pixels than the limit of {max_pixels:,}; scale it down") from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise BadImage(f"{name} cannot be decoded: {error}; is the file complete?") from error


def declared_pixels(source: bytes | Path) -> int:
    """Width times height that the header of a picture declares, without decoding; 0 where it cannot be read."""
    try:
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source), formats=_FORMATS) as image:
            return image.width * image.height
    except Exception:  # hostile bytes; decoding will give the reason
        return 0


def _decode(data: bytes, name: str, at_least_px: tuple[int, int] | None, max_pixels: int) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise BadImage(
                f"{name} is {width} x {height} = {width * height:,} pixels; the limit is {max_pixels:,}, scale it down"
            )
        if max(width, height) > _MAX_SIDE_PX:
            raise BadImage(f"{name} is {width} x {height}; no side may have more than {_MAX_SIDE_PX:,} pixels")
        if at_least_px is not None and image.format == "JPEG":
            longest = max(at_least_px)  # either way up: EXIF may turn the picture by 90 degrees
            image.draft("RGB", at_least_px if _is_upright(image) else (longest, longest))
        image.load()
        _turn_upright(image)
        return _to_rgb(image)


def _turn_upright(image: Image.Image) -> None:
    if _orientation(image) == 1:
        return
    for name in ("exif", "Raw profile type exif"):  # which would be written anew, and not every block can be
        image.info.pop(name, None)
    ImageOps.exif_transpose(image, in_place=True)  # otherwise the picture is copied


def _is_upright(image: Image.Image) -> bool:
    return _orientation(image) in (1, 2, 3, 4)


def _orientation(image: Image.Image) -> Any:
    """What EXIF says, 1 for upright; a block that cannot be read says nothing, and the picture may be well."""
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:  # a parser may raise anything on hostile bytes
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # convert() would clip at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "I":
        return Image.fromarray((np.clip(np.asarray(image), 0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        # No names for the two layers: what is held at once is the memory that a decode takes.
        ground = (*_NEUTRAL, 255)
        return Image.alpha_composite(Image.new("RGBA", image.size, ground), image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
