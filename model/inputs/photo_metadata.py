"""What a photo says of itself besides its pixels: where it looks and how wide, from EXIF and from XMP.

Only the header is opened. Nothing here fails: what is broken or cannot be is left out, and a sentence says so. Where
the photo was taken is read by `read_photo_position` alone, which nothing calls unless the user asks for it, and how
well that is known by `read_position_error_m`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from PIL import ExifTags, Image

from model.common.errors import BadCoordinates
from model.common.geo import LatLon, normal_heading
from model.common.image_formats import open_header, without_pixels
from model.common.orientation import exif_of, orientation_of, upright_size
from model.common.plain_files import read_plain
from model.inputs.lens import lens_angles
from model.inputs.panorama_tags import GPANO, PanoramaTags, StatedAngles, read_panorama_tags
from model.inputs.photo_checks import is_strip
from model.inputs.xmp import BadXmp, merge, xmp_properties
from model.inputs.xmp_packets import xmp_packets

__all__ = [
    "PhotoMetadata",
    "Projection",
    "metadata_of",
    "read_photo_metadata",
    "read_photo_position",
    "read_position_error_m",
]

Projection = Literal["equirectangular", "rectilinear"]
"""Columns and rows as equal angles, as in a panorama; or as through a lens without distortion."""

_FOCAL_LENGTH_35MM = ExifTags.Base.FocalLengthIn35mmFilm
_COMPASS_TOLERANCE_DEG = 30.0
"""How far a compass may be from a panorama's tags without a doubt: its own error, and most declinations."""
_PANORAMA_RENDERED = 6
"""Of EXIF's CustomRendered, by phones whose panorama mode sweeps."""
_UNSET_DEG = 0.0
"""What a writer that has read no compass may leave as the heading."""
_OTHER_DATUM = re.compile(r"tokyo|nad.?27|ed.?50|european|osgb|ordnance|pulkovo|beijing|gcj|bd.?09", re.IGNORECASE)
"""Datums by which a position lies some hundred metres from where WGS 84 puts it."""
_WORDS = b"photos/1.0/panorama", b"GPano:"
"""Packets without either are not parsed, and may be what they like."""


@dataclass(frozen=True)
class PhotoMetadata(StatedAngles):
    """What a photo says of itself, checked; None for what it does not say, or not credibly.

    Attributes:
        projection: what its angles mean; None where it has none.
        panorama: it says that it is one.
        heading_doubts: sentences about a heading that is left out or may be off.
        view_doubts: sentences about angles that are left out.

    Example:
        >>> PhotoMetadata(heading_deg=90.0).doubts
        ()
    """

    projection: Projection | None = None
    panorama: bool = False
    heading_doubts: tuple[str, ...] = ()
    view_doubts: tuple[str, ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """All of them."""
        return self.heading_doubts + self.view_doubts


def read_photo_metadata(source: bytes | Path | str) -> PhotoMetadata:
    """What an encoded photo says of itself; nothing where it is no picture of an accepted format.

    Args:
        source: the encoded bytes, or the file that holds them.

    Raises:
        OSError: the file cannot be read.
    """
    data = read_plain(source) if isinstance(source, Path | str) else source
    try:
        with open_header(without_pixels(data)) as image:
            return metadata_of(image)
    except Exception:  # hostile bytes; decoding will give the reason
        return PhotoMetadata()


def read_photo_position(source: bytes | Path | str) -> LatLon | None:
    """Where EXIF says that a photo was taken; None where it does not, or not credibly.

    For a user who asks for it: an answer never depends on it otherwise.

    Raises:
        OSError: the file cannot be read.
    """
    data = read_plain(source) if isinstance(source, Path | str) else source
    try:
        with open_header(without_pixels(data)) as image:
            return _position(_directory(exif_of(image), ExifTags.IFD.GPSInfo))
    except Exception:  # hostile bytes
        return None


def read_position_error_m(source: bytes | Path) -> float | None:
    """By how many metres EXIF says that a photo's position may be off; None where it does not say.

    Raises:
        OSError: the file cannot be read.
    """
    data = read_plain(source) if isinstance(source, Path) else source
    try:
        with open_header(without_pixels(data)) as image:
            error_m = _number(_directory(exif_of(image), ExifTags.IFD.GPSInfo).get(ExifTags.GPS.GPSHPositioningError))
    except Exception:  # hostile bytes
        return None
    return error_m if error_m >= 0 and math.isfinite(error_m) else None


def metadata_of(image: Image.Image) -> PhotoMetadata:
    """What an opened picture says of itself, which need not be decoded."""
    width_px, height_px = upright_size(image)
    tags, tag_doubts = _panorama_tags(image, width_px, height_px)
    exif = exif_of(image)
    heading, heading_doubts = _compass(_directory(exif, ExifTags.IFD.GPSInfo))
    details = _directory(exif, ExifTags.IFD.Exif)
    if tags is not None:
        maker = str(exif.get(ExifTags.Base.Make) or "").strip("\0 ")
        return _of_panorama(_without_unset_heading(tags, heading, maker), heading, heading_doubts)
    swept = _number(details.get(ExifTags.Base.CustomRendered)) == _PANORAMA_RENDERED
    if swept or is_strip(max(width_px, height_px) / min(width_px, height_px)):
        if heading is not None:
            heading_doubts += ("the photo was swept or cut, so its compass direction need not be that of its centre",)
        return PhotoMetadata(heading, heading_doubts=heading_doubts, view_doubts=tag_doubts)
    angles, lens_doubts = lens_angles(_number(details.get(_FOCAL_LENGTH_35MM)), width_px, height_px)
    if angles is None:
        return PhotoMetadata(heading, heading_doubts=heading_doubts, view_doubts=tag_doubts + lens_doubts)
    return PhotoMetadata(
        heading, *angles, projection="rectilinear", heading_doubts=heading_doubts, view_doubts=tag_doubts + lens_doubts
    )


def _without_unset_heading(tags: PanoramaTags, compass_deg: float | None, maker: str) -> PanoramaTags:
    """The tags of a camera's panorama without a heading and a lean of exactly nothing, which is what is left unset.

    A program that turned a picture to the north on purpose names no maker, or a compass beside it.
    """
    said = None if tags.heading_deg is None else (tags.heading_deg - tags.offset_deg) % 360.0
    if said != _UNSET_DEG or tags.pitch_deg or tags.roll_deg or compass_deg is not None or not maker:
        return tags
    doubt = (
        "the photo's panorama tags say PoseHeadingDegrees 0, as where no compass was read; it is not used, so give "
        "heading_deg 0 if it is right"
    )
    return replace(tags, heading_deg=None, heading_doubts=(*tags.heading_doubts, doubt))


def _of_panorama(tags: PanoramaTags, compass_deg: float | None, compass_doubts: tuple[str, ...]) -> PhotoMetadata:
    """The tags of a panorama, and the compass only where they say no heading."""
    heading, doubts = tags.heading_deg, tags.heading_doubts
    if heading is None and compass_deg is not None:  # which is that of the whole panorama, too
        heading, doubts = (compass_deg + tags.offset_deg) % 360.0, doubts + compass_doubts
    elif heading is not None and compass_deg is not None:
        doubts += _disagreement(heading - tags.offset_deg, compass_deg)
    return PhotoMetadata(
        heading,
        tags.fov_deg,
        tags.vertical_deg,
        tags.centre_deg,
        tags.offset_deg,
        tags.pitch_deg,
        tags.roll_deg,
        "equirectangular",
        True,
        doubts,
        tags.shape_doubts,
    )


def _disagreement(tags_deg: float, compass_deg: float) -> tuple[str, ...]:
    """A doubt where the two headings of a photo are far apart."""
    if abs((tags_deg - compass_deg + 180.0) % 360.0 - 180.0) <= _COMPASS_TOLERANCE_DEG:
        return ()
    return (
        f"the photo's panorama tags say that it looks to {tags_deg % 360.0:.4g} degrees, and its compass "
        f"{compass_deg:.4g}; the tags are used",
    )


def _panorama_tags(image: Image.Image, width_px: int, height_px: int) -> tuple[PanoramaTags | None, tuple[str, ...]]:
    properties: dict[str, str] = {}
    try:
        for packet in xmp_packets(image):
            if any(word in packet.data.replace(b"\0", b"") for word in _WORDS):  # as they are in UTF-16
                merge(properties, xmp_properties(packet.data, GPANO, at_most=packet.at_most))
    except BadXmp as error:
        return None, (f"the photo's XMP {error}; what it says of a panorama is not used",)
    return read_panorama_tags(properties, width_px, height_px, orientation=orientation_of(image)), ()


def _directory(exif: Image.Exif, number: int) -> dict[int, Any]:
    """One of EXIF's directories; empty where it is broken."""
    try:
        return exif.get_ifd(number)
    except Exception:  # a parser may raise anything on hostile bytes
        return {}


def _compass(gps: dict[int, Any]) -> tuple[float | None, tuple[str, ...]]:
    """The direction in which the camera looked, clockwise from north, and what is doubtful about it."""
    value = gps.get(ExifTags.GPS.GPSImgDirection)
    if value is None:
        return None, ()
    degrees = _number(value)
    try:
        heading = normal_heading(degrees)
    except BadCoordinates:
        return None, (f"the photo's compass direction is {degrees:.10g}, outside 0 to 360; it is not used",)
    if _text_of(gps, ExifTags.GPS.GPSImgDirectionRef).upper() == "T":
        return heading, ()
    return heading, (
        f"the photo's compass direction {heading:.4g} is not said to be from true north; where it is from magnetic "
        "north it is off by the declination of the place",
    )


def _position(gps: dict[int, Any]) -> LatLon | None:
    datum = _text_of(gps, ExifTags.GPS.GPSMapDatum)
    if _OTHER_DATUM.match(datum) or _text_of(gps, ExifTags.GPS.GPSStatus) == "V":
        return None
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "NS")
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "EW")
    if lat is None or lon is None or (lat == 0.0 and lon == 0.0):  # which cameras write that know nothing
        return None
    try:
        return LatLon(lat, lon)
    except BadCoordinates:
        return None


def _text_of(gps: dict[int, Any], tag: int) -> str:
    return str(gps.get(tag, "")).strip("\0 ")


def _degrees(value: Any, reference: Any, letters: str) -> float | None:
    """Degrees, minutes and seconds as degrees; None without a hemisphere, which would be a guess."""
    parts = [_number(part) for part in value] if isinstance(value, tuple) else [_number(value)]
    letter = str(reference or "").strip("\0 ").upper()
    if len(letter) != 1 or letter not in letters or not all(part >= 0 for part in parts):
        return None
    if any(part > 60.0 for part in parts[1:3]):  # other units, of which it is unknown which
        return None
    size = math.fsum(part / 60.0**power for power, part in enumerate(parts[:3]))
    return size if letter == letters[0] else 0.0 - size


def _number(value: Any) -> float:
    """A value of EXIF as a number; NaN where it is none."""
    try:
        return float(value[0] if isinstance(value, tuple) and len(value) == 1 else value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return math.nan
