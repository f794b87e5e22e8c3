"""Pictures of 16 bits, whose values seldom fill their range: sensors give 10, 12 or 14 bits.

Pillow keeps 16 bits of grey, and of colours the upper eight, in which 12 bits leave sixteen levels; the lower eight are
read beside them here.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

__all__ = ["deep_to_rgb", "value_bits_of"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH_AT = 24
"""Where a PNG says how many bits a value has."""
_PHOTOMETRIC = 262
_USUAL_BITS = (8, 10, 12, 14, 16)


def value_bits_of(data: bytes) -> int | None:
    """How many bits the values of a PNG of 16 bits use; None for any other picture.

    Raises:
        Exception: whatever a decoder raises on a damaged picture.
    """
    if not _is_deep(data):
        return None
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.load()
        values, _ = _values(image, data)
    return _bits(values)


def deep_to_rgb(image: Image.Image, data: bytes, value_bits: int | None) -> Image.Image | None:
    """A loaded PNG of 16 bits as RGB or RGBA of 8, scaled so that its values fill the range; None for other pictures.

    Args:
        image: the picture.
        data: the same, encoded.
        value_bits: how many bits are used, where it is known of all pictures of a kind; None takes this one's.
    """
    grey = image.mode == "I" or image.mode.startswith("I;16")
    if not grey and not _is_deep(data):
        return None
    values, alpha = _values(image, data)
    drawn = np.clip(values >> (value_bits or _bits(values)) - 8, 0, 255).astype(np.uint8)
    if grey:
        return Image.fromarray(255 - drawn if _is_white_zero(image) else drawn).convert("RGB")
    picture = Image.fromarray(drawn)
    if alpha is not None:
        picture.putalpha(alpha)
    return picture


def _is_white_zero(image: Image.Image) -> bool:
    """Whether a TIFF's values grow towards black, which Pillow heeds for those of 8 bits alone."""
    return isinstance(image, TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0


def _is_deep(data: bytes) -> bool:
    return data[:8] == _SIGNATURE and data[_DEPTH_AT : _DEPTH_AT + 1] == b"\x10"


def _values(image: Image.Image, data: bytes) -> tuple[NDArray[np.int32], Image.Image | None]:
    """int32 values of 16 bits, [H, W] or [H, W, 3], and the alpha channel."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        return np.clip(np.asarray(image).astype(np.int32), 0, 65_535), None
    upper = np.asarray(image.convert("RGB")).astype(np.int32)
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    lower = upper if upper.max() >= 64 else _lower_bytes(data, upper)  # above, the upper bytes alone are the picture
    return (upper << 8) | lower, alpha


def _lower_bytes(data: bytes, otherwise: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32 [H, W, 3]: each value's second byte, by telling the decoder that it comes first."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        (tile,) = image.tile
        order = str(tile.args)
        if order not in ("RGB;16B", "RGBA;16B"):
            return otherwise
        image.tile = [tile._replace(args=order.replace("16B", "16L"))]
        return np.asarray(image.convert("RGB")).astype(np.int32)


def _bits(values: NDArray[np.int32]) -> int:
    most = int(values.max(initial=0))
    return next(bits for bits in _USUAL_BITS if most < 1 << bits) if most else 16
