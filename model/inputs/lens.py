"""From a focal length in 35 mm terms to the angles of a flat picture.

Cameras convert by the diagonal of the whole sensor, which is 4:3 in phones and 3:2 in most others. A wider picture is
one of 3:2 cut above and below, a squarer one of 4:3 cut at its sides; that is right within three degrees of the usual
ways to cut.
"""

from __future__ import annotations

import math

__all__ = ["TYPICAL_FOCAL_MM", "flat_vertical_deg", "lens_angles"]

TYPICAL_FOCAL_MM = 26.0
"""Of a phone's main camera."""

_SHORTEST_MM = 9.0
"""Lenses below draw no flat picture: fisheyes, and those of 360 degree cameras."""
_LONGEST_MM = 3000.0
_HALF_DIAGONAL_MM = math.hypot(36.0, 24.0) / 2
_SQUAREST, _WIDEST = 4 / 3, 3 / 2


def lens_angles(focal_mm: float, width_px: int, height_px: int) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """(horizontal, vertical) angle in degrees and what is doubtful; None where the lens does not tell.

    Args:
        focal_mm: in 35 mm terms; 0 or NaN where it is not known.
        width_px: of the picture as it is seen.
        height_px: likewise.
    """
    if math.isnan(focal_mm) or focal_mm == 0:
        return None, ()
    if not _SHORTEST_MM <= focal_mm <= _LONGEST_MM:
        return None, (
            f"the photo's focal length of {focal_mm:.4g} mm in 35 mm terms draws no flat picture "
            f"({_SHORTEST_MM:g} to {_LONGEST_MM:g} do); it is not used",
        )
    long, short = max(width_px, height_px), min(width_px, height_px)
    half_long = _half_long_side_mm(long / short)
    half_width, half_height = half_long * width_px / long, half_long * height_px / long
    return (_angle(half_width / focal_mm), _angle(half_height / focal_mm)), ()


def flat_vertical_deg(fov_deg: float, width_px: int, height_px: int) -> float:
    """The vertical angle of a flat picture whose horizontal one, below 180 degrees, is known."""
    return _angle(math.tan(math.radians(fov_deg) / 2) * height_px / width_px)


def _half_long_side_mm(aspect: float) -> float:
    """Half of the longer side on the film, of a picture of an aspect ratio of 1 or more."""
    whole = min(max(aspect, _SQUAREST), _WIDEST)
    half_short = _HALF_DIAGONAL_MM / math.hypot(whole, 1.0)
    return half_short * (aspect if aspect < _SQUAREST else whole)


def _angle(tangent: float) -> float:
    return math.degrees(2 * math.atan(tangent))
