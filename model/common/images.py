"""Checked image decoding: bytes or a path in, an upright RGB picture out, or `BadImage` with the reason.

Only the formats of `model.common.image_formats` are tried, the pixel count is checked before any pixel is decoded, and
a JPEG much larger than needed is decoded at a reduced scale. Training, evaluation, indexing and the service all decode
here.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from model.common.deep_pixels import deep_to_rgb
from model.common.errors import BadImage
from model.common.image_formats import ACCEPTED, DAMAGED, open_header, refuse_unread_kind, what_it_is
from model.common.jpeg_scans import MAX_SCANS, count_scans
from model.common.orientation import is_turned_when_read, orientation_of, turn_upright, upright_size
from model.common.plain_files import read_plain
from model.common.webp_size import webp_size

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "PHOTO_SUFFIXES",
    "decode_image",
    "decode_sized",
]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""What a folder of tiles holds: a TIFF among them is imagery to be cut, not a tile."""
PHOTO_SUFFIXES = IMAGE_SUFFIXES | {".tif", ".tiff", ".avif", ".heic", ".heif", ".hif"}
"""What a folder of photos holds."""
MAX_PIXELS = 64_000_000
"""Default limit of a picture's width times height."""
_MAX_SIDE_PX = 65_535
"""What JPEG can tell. A PNG may be a column of millions of rows, and each row costs 8 bytes beside its pixels."""

_NEUTRAL = (128, 128, 128)


def decode_image(
    source: bytes | Path | str,
    *,
    at_least_px: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    value_bits: int | None = None,
) -> Image.Image:
    """Decode a picture to upright 8-bit RGB.

    Its orientation is applied, 16-bit values are scaled, transparent parts turn mid-grey. Of an animation or of pages
    the first is taken, of a HEIC the primary image. What the file says besides its pixels is left behind.

    Args:
        source: the encoded bytes, or the file that holds them.
        at_least_px: (width, height) that the caller will resize to; a larger JPEG may come back smaller than it is,
            but never below this.
        max_pixels: width times height beyond which the picture is refused undecoded.
        value_bits: how many bits the values of 16-bit pictures use, where it is known of a whole corpus; None takes
            as many as this picture's own values need, so that 12 bits of a sensor are not drawn black.

    Raises:
        BadImage: empty, truncated, too large, or of no accepted format.
        OSError: the file cannot be read.
    """
    return decode_sized(source, at_least_px=at_least_px, max_pixels=max_pixels, value_bits=value_bits)[0]


def decode_sized(
    source: bytes | Path | str,
    *,
    at_least_px: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    value_bits: int | None = None,
) -> tuple[Image.Image, tuple[int, int]]:
    """The same, and the picture's (width, height) as its file declares them, before any turning or scaling.

    Raises:
        BadImage: as `decode_image`.
        OSError: the file cannot be read.
    """
    name = str(source) if isinstance(source, Path | str) else "the image"
    data = read_plain(source) if isinstance(source, Path | str) else source
    if not data:
        raise BadImage(f"{name} is empty (0 bytes); send a {ACCEPTED}")
    try:
        return _decode(data, name, at_least_px, max_pixels, value_bits)
    except BadImage:
        raise
    except UnidentifiedImageError:
        kind = what_it_is(data)
        remedy = "copy it again" if DAMAGED in kind else "convert it"
        raise BadImage(f"{name} is not a {ACCEPTED} that can be read ({kind}); {remedy}") from None
    except MemoryError:  # under a limit that the process was given
        raise BadImage(f"{name} takes more memory to decode than a picture of its size should; save it anew") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage(f"{name} declares more pixels than the limit of {max_pixels:,}; scale it down") from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise BadImage(f"{name} cannot be decoded: {error}; is the file complete?") from error


def _decode(
    data: bytes, name: str, at_least_px: tuple[int, int] | None, max_pixels: int, value_bits: int | None
) -> tuple[Image.Image, tuple[int, int]]:
    if (declared := webp_size(data)) is not None:
        _check_size(*declared, name, max_pixels)
    with open_header(data) as image:
        size = image.size
        _check_size(*size, name, max_pixels)
        refuse_unread_kind(image, name)
        _check_scans(image, data, name)
        if at_least_px is not None and image.format == "JPEG":
            longest = max(at_least_px)  # either way up: EXIF may turn the picture by 90 degrees
            image.draft("RGB", at_least_px if upright_size(image) == image.size else (longest, longest))
        turned = is_turned_when_read(image)
        image.load()
        _check_size(*image.size, name, max_pixels)  # what a HEIC holds may be larger than its header says
        deep = deep_to_rgb(image, data, value_bits)
        turn_upright(deep or image, 1 if turned else orientation_of(image))
        picture = _to_rgb(deep or image)
        picture.info.clear()  # where it was taken, by whom
        return picture, size


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise BadImage(
            f"{name} is {width} x {height} = {width * height:,} pixels; the limit is {max_pixels:,}, scale it down"
        )
    if max(width, height) > _MAX_SIDE_PX:
        raise BadImage(f"{name} is {width} x {height}; no side may have more than {_MAX_SIDE_PX:,} pixels")


def _check_scans(image: Image.Image, data: bytes, name: str) -> None:
    if image.format in ("JPEG", "MPO") and (scans := count_scans(data, at_most=MAX_SCANS + 1)) > MAX_SCANS:
        raise BadImage(
            f"{name} is a JPEG of {scans} or more scans, each as long to decode as a picture; the limit is "
            f"{MAX_SCANS}, save it anew"
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        # No names for the two layers: what is held at once is the memory that a decode takes.
        ground = (*_NEUTRAL, 255)
        return Image.alpha_composite(Image.new("RGBA", image.size, ground), image.convert("RGBA")).convert("RGB")
    # Of an RGB picture the pixels stay and the object goes, on which hangs what the file said: where it was taken.
    return image._new(image.im) if image.mode == "RGB" else image.convert("RGB")  # which would copy the pixels
