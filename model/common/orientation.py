"""Which way up a picture is seen: what its EXIF or XMP says of it, and turning it so."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image, ImageOps

__all__ = ["exif_of", "is_turned_when_read", "orientation_of", "turn_upright", "upright_size"]

_MAX_EXIF_BYTES = 1 << 20
_TAG = 0x0112
_IN_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\s*[\"'<]")
"""Pillow reads it between double quotes and without spaces alone."""
_OWN_TURN = ("HEIF", "AVIF")
"""Formats that carry a turn of their own, besides which their standards have nothing count."""


def exif_of(image: Image.Image) -> Image.Exif:
    """The EXIF of an opened picture; empty where it is broken or beyond all measure, and the picture may be well."""
    block = image.info.get("exif") or image.info.get("Raw profile type exif") or b""
    if len(block) > _MAX_EXIF_BYTES:
        return Image.Exif()
    try:
        return Image.Image.getexif(image)  # a PNG's own would decode the picture first
    except Exception:  # a parser may raise anything on hostile bytes
        return Image.Exif()


def orientation_of(image: Image.Image) -> Any:
    """What the EXIF of an opened picture says, else its XMP; 1 for upright.

    Of a format with a turn of its own that alone counts, which Pillow tells as EXIF, or has undone.
    """
    if image.format in _OWN_TURN:
        return _without_xmp(image).get(_TAG, 1)
    said = exif_of(image).get(_TAG)
    if said is not None:
        return said
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    data = packet.encode() if isinstance(packet, str) else packet
    found = _IN_XMP.search(data.replace(b"\0", b"")) if isinstance(data, bytes) else None  # as it is in UTF-16
    return 1 if found is None else int(found[1])


def _without_xmp(image: Image.Image) -> Image.Exif:
    """The EXIF alone, to which Pillow adds what it finds in XMP."""
    bare = Image.new("L", (1, 1))
    bare.info = {"exif": image.info.get("exif", b"")}
    return exif_of(bare)


def is_turned_when_read(image: Image.Image) -> bool:
    """Whether Pillow turns the picture itself, its size at once: it does so by a TIFF's tag."""
    return image.format == "TIFF" and _TAG in getattr(image, "tag_v2", {})


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) of an opened picture as it will be seen, turned by its orientation."""
    lies = orientation_of(image) in (5, 6, 7, 8) and not is_turned_when_read(image)
    return image.size[::-1] if lies else image.size


def turn_upright(image: Image.Image, orientation: Any) -> None:
    """Turn and mirror a decoded picture in place, as an orientation says; one that is none leaves it as it is."""
    if orientation == 1:
        return
    for name in ("exif", "Raw profile type exif"):  # which would be written anew, and not every block can be
        image.info.pop(name, None)
    Image.Image.getexif(image)[_TAG] = orientation
    ImageOps.exif_transpose(image, in_place=True)  # otherwise the picture is copied
