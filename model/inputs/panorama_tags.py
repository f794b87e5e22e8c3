"""What the GPano properties of a panorama say: where its centre looks, and which part of the sphere it shows.

The names and their meanings are those of Google's Photo Sphere XMP, which nearly all 360 degree cameras and stitching
programs write. They are often wrong: each value is checked, and one that cannot be is left out with a doubt.

https://developers.google.com/streetview/spherical-metadata
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from model.common.errors import BadCoordinates
from model.common.geo import normal_heading

__all__ = ["GPANO", "PanoramaTags", "StatedAngles", "read_panorama_tags", "sphere_xmp"]

GPANO = "http://ns.google.com/photos/1.0/panorama/"
"""The namespace."""

_KNOWN = frozenset(
    {"ProjectionType", "PoseHeadingDegrees", "PosePitchDegrees", "PoseRollDegrees", "FullPanoWidthPixels"}
    | {"FullPanoHeightPixels", "CroppedAreaImageWidthPixels", "CroppedAreaImageHeightPixels"}
    | {"CroppedAreaLeftPixels", "CroppedAreaTopPixels"}
)
_PLACED = frozenset({"CroppedAreaImageWidthPixels", "CroppedAreaLeftPixels"})
_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
_SPHERE_TOLERANCE = 0.01
"""How far, relatively, a whole sphere may be from 2:1."""
_SHAPE_TOLERANCE = 0.02
"""How far, relatively, the picture's own shape may be from that of its crop: rounding of a small one."""
_TURNED = frozenset(range(2, 9))
"""EXIF's orientations of pictures that are not stored as they are seen."""
_LEVEL_DEG = 0.5
_MAX_SIDE_PX = 1e7
_SHOWN_CHARS = 20
_Pair = tuple[float, float]
_T = TypeVar("_T")


@dataclass(frozen=True)
class StatedAngles:
    """Where a picture looks and how wide, as it says itself; None for what is not said, or not to be believed.

    Attributes:
        heading_deg: direction of the picture's centre column, clockwise from north, in [0, 360).
        fov_deg: horizontal angle of the picture, in (0, 360].
        vertical_deg: its vertical angle, in (0, 180].
        centre_deg: elevation of its centre row over the horizon.
        offset_deg: how far its centre column lies to the right of the whole panorama's, to which the lean refers.
        pitch_deg: how far the camera leaned upwards in the direction of the whole panorama's centre.
        roll_deg: how far it leaned to its right.
    """

    heading_deg: float | None = None
    fov_deg: float | None = None
    vertical_deg: float | None = None
    centre_deg: float | None = None
    offset_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0


@dataclass(frozen=True)
class PanoramaTags(StatedAngles):
    """The checked properties.

    Attributes:
        heading_doubts: sentences about a heading that was left out.
        shape_doubts: sentences about angles that were left out.
    """

    heading_doubts: tuple[str, ...] = ()
    shape_doubts: tuple[str, ...] = ()


class _Doubt(ValueError):
    """A sentence about what cannot be believed."""


@dataclass(frozen=True)
class _Part:
    """The part of the sphere that a picture shows, in degrees."""

    fov_deg: float
    vertical_deg: float
    centre_deg: float = 0.0
    offset_deg: float = 0.0


def read_panorama_tags(
    properties: Mapping[str, str], width_px: int, height_px: int, *, orientation: int = 1
) -> PanoramaTags | None:
    """Interpret GPano properties; None where there are none that matter.

    Args:
        properties: by local name, as `xmp_properties` gives them.
        width_px: of the picture as it is seen.
        height_px: likewise.
        orientation: EXIF's number for how it was turned or mirrored to be seen so.
    """
    if not _KNOWN & properties.keys():
        return None
    heading, heading_doubts = _believed(lambda: _heading(properties), "its heading")
    part, part_doubts = _believed(
        lambda: _part(properties, width_px, height_px, orientation), "what they say of its angles"
    )
    lean, lean_doubts = _believed(lambda: _lean(properties, orientation), "the camera's lean")
    pitch, roll = lean or (0.0, 0.0)
    doubts = (*part_doubts, *lean_doubts)
    if part_doubts and heading is not None and properties.keys() & _PLACED:
        heading, heading_doubts = (
            None,
            (
                "the photo's PoseHeadingDegrees is that of a panorama of which the picture is "
                "an unknown part; it is not used",
            ),
        )
    if part is None:
        return PanoramaTags(heading, None, None, None, 0.0, pitch, roll, heading_doubts, doubts)
    looks = None if heading is None else (heading + part.offset_deg) % 360.0
    angles = part.fov_deg, part.vertical_deg, part.centre_deg, part.offset_deg
    return PanoramaTags(looks, *angles, pitch, roll, heading_doubts, doubts)


def sphere_xmp(heading_deg: float, width_px: int, height_px: int) -> bytes:
    """An XMP packet that says of a picture: a sphere, whose centre looks `heading_deg` clockwise from north.

    A picture wider than 2:1 is the band around the sphere's horizon.
    """
    whole_px = max(width_px // 2, height_px)
    tags = {
        "ProjectionType": "equirectangular",
        "PoseHeadingDegrees": f"{heading_deg:.6g}",
        "FullPanoWidthPixels": width_px,
        "FullPanoHeightPixels": whole_px,
        "CroppedAreaImageWidthPixels": width_px,
        "CroppedAreaImageHeightPixels": height_px,
        "CroppedAreaLeftPixels": 0,
        "CroppedAreaTopPixels": (whole_px - height_px) // 2,
    }
    said = " ".join(f'GPano:{name}="{value}"' for name, value in tags.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:GPano="{GPANO}" {said}/></rdf:RDF></x:xmpmeta>'
    ).encode()


def _believed(read: Callable[[], _T], what: str) -> tuple[_T | None, tuple[str, ...]]:
    """What a reader finds; None and a sentence where it doubts."""
    try:
        return read(), ()
    except _Doubt as doubt:
        return None, (f"the photo's panorama tags {doubt}; {what} is not used",)


def _heading(tags: Mapping[str, str]) -> float | None:
    value = _number(tags, "PoseHeadingDegrees")
    if value is None:
        return None
    try:
        return normal_heading(value)
    except BadCoordinates:
        raise _Doubt(f"say PoseHeadingDegrees {value:.10g}, outside -360 to 360") from None


def _lean(tags: Mapping[str, str], orientation: int) -> tuple[float, float]:
    """(pitch, roll)."""
    pitch = _number(tags, "PosePitchDegrees") or 0.0
    roll = _number(tags, "PoseRollDegrees") or 0.0
    if abs(pitch) > 90 or abs(roll) > 180:
        raise _Doubt(f"say PosePitchDegrees {pitch:.10g} and PoseRollDegrees {roll:.10g}, beyond 90 or 180")
    if orientation in _TURNED and max(abs(pitch), abs(roll)) > _LEVEL_DEG:
        raise _Doubt(
            f"say PosePitchDegrees {pitch:.4g} and PoseRollDegrees {roll:.4g}, and the picture's orientation "
            f"({orientation}) turns or mirrors it without saying which of the two came first"
        )
    return pitch, roll


def _part(tags: Mapping[str, str], width_px: int, height_px: int, orientation: int) -> _Part | None:
    projection = tags.get("ProjectionType", "equirectangular")
    if projection.lower() != "equirectangular":
        raise _Doubt(f"say ProjectionType {_shown(projection)}, and only equirectangular is laid exactly")
    full, crop = _size(tags, "FullPano"), _size(tags, "CroppedAreaImage")
    if full is None and crop is None:
        whole = abs(width_px / height_px / 2 - 1) <= _SPHERE_TOLERANCE
        return _Part(360.0, 180.0) if whole else None
    if full is None or crop is None:
        raise _Doubt("give the size of the crop or of the whole panorama, but not both")
    part = _part_of(full, crop, _corner(tags, full, crop), width_px / height_px)
    if orientation in _TURNED and max(abs(part.offset_deg), abs(part.centre_deg)) > _LEVEL_DEG:
        raise _Doubt(
            f"say where in a panorama the picture lies, and its orientation ({orientation}) turns or mirrors it "
            "without saying which of the two came first"
        )
    return part


def _part_of(full: _Pair, crop: _Pair, corner: _Pair, aspect: float) -> _Part:
    """The part, where the sizes go together; sizes as (width, height), the corner as (left, top)."""
    if abs(full[0] / full[1] / 2 - 1) > _SPHERE_TOLERANCE:
        raise _Doubt(f"say that the whole panorama is {full[0]:g} x {full[1]:g}, which is not 2:1")
    if min(corner) < 0 or any(corner[axis] + crop[axis] > full[axis] + 1 for axis in (0, 1)):
        raise _Doubt(
            f"say that the picture is {crop[0]:g} x {crop[1]:g} at {corner[0]:g}, {corner[1]:g} of a panorama of "
            f"{full[0]:g} x {full[1]:g}, out of which it reaches"
        )
    if abs(crop[0] / crop[1] / aspect - 1) > _SHAPE_TOLERANCE:
        raise _Doubt(
            f"say that the picture is {crop[0]:g} x {crop[1]:g}, and it has another shape ({aspect:.3g}:1): "
            "it was cut after they were written"
        )
    right_deg = 360.0 * ((corner[0] + crop[0] / 2) / full[0] - 0.5)
    down_deg = 180.0 * ((corner[1] + crop[1] / 2) / full[1] - 0.5)
    fov_deg, vertical_deg = (min(1.0, crop[axis] / full[axis]) * (360.0, 180.0)[axis] for axis in (0, 1))
    return _Part(fov_deg, vertical_deg, 0.0 - down_deg, right_deg)


def _size(tags: Mapping[str, str], name: str) -> _Pair | None:
    """(width, height) of the whole panorama or the crop; None where neither is said."""
    width, height = _number(tags, f"{name}WidthPixels"), _number(tags, f"{name}HeightPixels")
    if width is None and height is None:
        return None
    if width is None or height is None:
        raise _Doubt(f"give only one of {name}WidthPixels and {name}HeightPixels")
    if not (1 <= width <= _MAX_SIDE_PX and 1 <= height <= _MAX_SIDE_PX):
        raise _Doubt(f"say {name}WidthPixels {width:.10g} and {name}HeightPixels {height:.10g}, which cannot be")
    return width, height


def _corner(tags: Mapping[str, str], full: _Pair, crop: _Pair) -> _Pair:
    """(left, top) of the crop; in the middle where it is not said."""
    left, top = _number(tags, "CroppedAreaLeftPixels"), _number(tags, "CroppedAreaTopPixels")
    return (full[0] - crop[0]) / 2 if left is None else left, (full[1] - crop[1]) / 2 if top is None else top


def _number(tags: Mapping[str, str], name: str) -> float | None:
    text = tags.get(name)
    if text is None:
        return None
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise _Doubt(f"say {name} {_shown(text)}, which is no number")
    return value


def _shown(text: str) -> str:
    """A stranger's text in a sentence: short, and nothing but letters, digits and marks of a number."""
    plain = re.sub(r"[^A-Za-z0-9.,+/-]", "?", text)
    return repr(plain if len(plain) <= _SHOWN_CHARS else plain[:_SHOWN_CHARS] + "...")
