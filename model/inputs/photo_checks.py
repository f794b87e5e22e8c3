"""Whether a photo shows anything, and whether its shape can go with the field of view that it is said to have.

Doubts are warnings, not errors; but what comes with one is no answer to be confident about. A pixel is taken to be as
high as it is wide, so a picture's vertical angle is its field of view over its aspect ratio.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["content_warnings", "is_sphere", "is_strip", "photo_warnings", "shape_warnings"]

_BARE_LEVELS = 3.0
"""Standard deviation, in grey levels of 0 to 255, below which a picture shows nothing: a wall, a covered lens."""

_GLANCE_PX = (64, 32)
"""Size at which that is looked at, so that noise does not count."""

_BLACK, _LIT = 12, 24
"""Grey levels of what no lens draws, and of what one does."""

_NARROWEST_PANORAMA = 1.9
"""Aspect ratio of 360 degrees: a whole sphere is 2:1, and a few rows more may be rounding; less cannot be."""

_HIGHEST_DEG = 360.0 / _NARROWEST_PANORAMA
"""Vertical angle that no picture exceeds: the 180 degrees of a whole sphere, with the same allowance."""

_WIDEST_PHOTO = 3.0
"""Aspect ratio above which a picture is a strip: cameras and phones give 16:9 to 21:9, panoramic film 2.7:1."""

_LOWEST_STRIP_DEG = 20.0
"""Vertical angle below which a strip is doubtful. Strips of 360 degrees have 45 degrees at 8:1, and 20 at 18:1."""

_PHOTO_DEG = 70
"""Horizontal field of view of a phone's main camera held upright or across, roughly."""


def photo_warnings(photo: Image.Image, fov_deg: float, vertical_deg: float | None = None) -> list[str]:
    """What speaks against a photo and what is said of it; empty where nothing does.

    Args:
        photo: RGB, as it is seen after any EXIF rotation.
        fov_deg: stated horizontal field of view, in (0, 360].
        vertical_deg: stated vertical angle, with which any shape can go; None where a pixel is as high as it is wide.
    """
    shape = [] if vertical_deg is not None else shape_warnings(photo.width, photo.height, fov_deg)
    return [*content_warnings(photo), *shape]


def is_sphere(aspect: float) -> bool:
    """Whether a picture of this shape can be a whole sphere, 2:1."""
    return _NARROWEST_PANORAMA <= aspect <= 4.0 - _NARROWEST_PANORAMA


def is_strip(aspect: float) -> bool:
    """Whether a picture is wider than what a lens gives: cut, or swept."""
    return aspect > _WIDEST_PHOTO


def content_warnings(photo: Image.Image) -> list[str]:
    """Whether a picture, as it is seen, shows too little to tell a place from, or two circles; empty where not."""
    glance = photo.resize(_GLANCE_PX, Image.Resampling.BOX, reducing_gap=1.0)
    deviation = float(np.asarray(glance).std(axis=(0, 1)).max())
    if is_sphere(photo.width / photo.height) and _is_two_circles(glance.convert("L")):
        return [
            "the picture shows two circles on black, as a 360 degree camera stores what its two lenses see; stitch it "
            "into a panorama with the maker's program first"
        ]
    if deviation >= _BARE_LEVELS:
        return []
    return [
        f"the picture shows next to nothing (standard deviation {deviation:.1f} of 255 levels), so that no place can "
        "be told from it; is it one colour, or far too dark or bright?"
    ]


def _is_two_circles(glance: Image.Image) -> bool:
    """Whether a grey picture of 64 x 32 is black in the corners of its two halves, but not along their middles."""
    width, height = _GLANCE_PX
    levels = glance.tobytes()
    corners = [(x, y) for x in (0, width // 2 - 1, width // 2, width - 1) for y in (0, height - 1)]
    middles = [(x, y) for x in (width // 4, width * 3 // 4) for y in (height // 8, height // 2, height * 7 // 8 - 1)]
    black = all(levels[y * width + x] < _BLACK for x, y in corners)
    return black and all(levels[y * width + x] > _LIT for x, y in middles)


def shape_warnings(width_px: int, height_px: int, fov_deg: float) -> list[str]:
    """What contradicts the stated field of view in a picture's shape; empty where nothing does.

    Args:
        width_px: of the picture as it is seen, after any EXIF rotation; decoded at any scale.
        height_px: likewise.
        fov_deg: stated horizontal field of view, in (0, 360].
    """
    aspect = width_px / height_px
    vertical_deg = fov_deg / aspect
    seen = f"the picture has the shape {aspect:.3g}:1"
    if fov_deg == 360 and vertical_deg > _HIGHEST_DEG:
        return [
            f"{seen}, too high for a panorama with fov_deg 360, which is 2:1 or wider; "
            f"for an ordinary photo give its horizontal field of view, for example fov_deg {_PHOTO_DEG}"
        ]
    if vertical_deg > _HIGHEST_DEG:
        return [
            f"{seen}; with fov_deg {fov_deg:g} it would be {vertical_deg:.0f} degrees high, more than the 180 of a "
            f"whole sphere; give a smaller fov_deg, at most {180.0 * aspect:.3g}"
        ]
    if aspect > _WIDEST_PHOTO and vertical_deg < _LOWEST_STRIP_DEG:
        return [
            f"{seen}; with fov_deg {fov_deg:g} it would be only {vertical_deg:.1f} degrees high; "
            + ("was it cut or squeezed?" if fov_deg == 360 else "for a panorama give a larger fov_deg, up to 360")
        ]
    return []
