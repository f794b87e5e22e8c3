"""Where a photo looks and how wide: what the user gives wins, then what the photo says, then what its shape suggests.

A heading is never assumed: where neither the user nor the photo tells it, it is unknown, and all are tried. What the
user gives and the photo denies is a warning, and so is an angle that had to be guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from model.common.errors import BadConfig, BadCoordinates
from model.common.geo import normal_heading
from model.inputs.lens import TYPICAL_FOCAL_MM, flat_vertical_deg, lens_angles
from model.inputs.photo_checks import is_sphere, is_strip, shape_warnings
from model.inputs.photo_metadata import PhotoMetadata, Projection

__all__ = ["ANGLE_TOLERANCE_DEG", "HEADING_TOLERANCE_DEG", "GivenView", "ResolvedView", "Source", "resolve_view"]

HEADING_TOLERANCE_DEG = 10.0
"""How far a given heading may be from the photo's own without a warning: what a phone's compass is off by."""
ANGLE_TOLERANCE_DEG = 5.0
"""The same for angles of view, or a tenth of them where that is more."""

_WIDEST_FLAT_DEG = 120.0
"""Wider pictures are taken for panoramas: flat ones are rare, and stretched beyond use at their edges."""

Source = Literal["given", "photo", "assumed", "unknown"]
"""Where a value comes from; only a heading can be unknown."""


@dataclass(frozen=True)
class GivenView:
    """What the user says of a photo; None for what is left to the photo.

    Attributes:
        heading_deg: direction of the centre column, clockwise from north, in [-360, 360]; "unknown" to try all.
        fov_deg: horizontal angle, in (0, 360].
        vertical_deg: vertical angle, in (0, 180].
        centre_deg: elevation of the picture's centre over the horizon, in [-90, 90].
        projection: what the angles mean.

    Example:
        >>> GivenView(heading_deg=-90.0).heading_deg
        -90.0

    Raises:
        BadConfig: a value is out of range or not a number.
    """

    heading_deg: float | Literal["unknown"] | None = None
    fov_deg: float | None = None
    vertical_deg: float | None = None
    centre_deg: float | None = None
    projection: Projection | None = None

    def __post_init__(self) -> None:
        if self.heading_deg is not None and self.heading_deg != "unknown":
            try:
                normal_heading(self.heading_deg)
            except BadCoordinates as error:
                raise BadConfig(f"heading_deg: {error}") from None
        _check("fov_deg", self.fov_deg, lambda deg: 0 < deg <= 360, "(0, 360]")
        _check("vertical_deg", self.vertical_deg, lambda deg: 0 < deg <= 180, "(0, 180]")
        _check("centre_deg", self.centre_deg, lambda deg: -90 <= deg <= 90, "[-90, 90]")
        if self.projection == "rectilinear" and self.fov_deg is not None and self.fov_deg >= 180:
            raise BadConfig(f"fov_deg is {self.fov_deg:g}; a flat (rectilinear) picture has less than 180 degrees")


@dataclass(frozen=True)
class ResolvedView:
    """Where a photo looks and how wide, each with its source.

    Attributes:
        heading_deg: direction of the centre column, clockwise from north, in [0, 360); None where it is unknown.
        fov_deg: horizontal angle, in (0, 360].
        vertical_deg: vertical angle, in (0, 180].
        centre_deg: elevation of the picture's centre over the horizon.
        projection: what the angles mean.
        offset_deg: how far the centre column lies to the right of the direction to which the lean refers.
        pitch_deg: how far the camera leaned upwards there.
        roll_deg: how far it leaned to its right.
        heading_source: "unknown" where the heading is, by the user's word too; "given" where the user gives it.
        fov_source: of the horizontal angle.
        vertical_source: of the vertical angle; "assumed" where it follows from the other and the picture's shape.
        centre_source: of the elevation.
        warnings: sentences; an answer with one deserves no confidence.
    """

    heading_deg: float | None
    fov_deg: float
    vertical_deg: float
    centre_deg: float = 0.0
    projection: Projection = "equirectangular"
    offset_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    heading_source: Source = "given"
    fov_source: Source = "given"
    vertical_source: Source = "assumed"
    centre_source: Source = "assumed"
    warnings: tuple[str, ...] = ()

    @property
    def lowest_deg(self) -> float:
        """Elevation of the middle of the picture's lower edge; a flat picture leans with its camera."""
        leaned_deg = self.pitch_deg if self.projection == "rectilinear" else 0.0
        return self.centre_deg + leaned_deg - self.vertical_deg / 2


@dataclass(frozen=True)
class _Angles:
    """The horizontal angle; `own` where the photo's other angles belong to it."""

    fov_deg: float
    projection: Projection
    source: Source
    warnings: tuple[str, ...] = ()
    own: bool = False


def resolve_view(given: GivenView, photo: PhotoMetadata, width_px: int, height_px: int) -> ResolvedView:
    """Settle what is known of a photo.

    Args:
        given: by the user.
        photo: by the photo itself; `PhotoMetadata()` to leave that out.
        width_px: of the picture as it is seen, at any scale.
        height_px: likewise.

    Raises:
        BadConfig: the projection given cannot have the angles.
    """
    heading, heading_source, heading_warnings = _heading(given, photo)
    angles = _angles(given, photo, width_px, height_px)
    vertical, vertical_source, vertical_warnings = _vertical(given, photo, angles, width_px, height_px)
    own_centre = photo.centre_deg if angles.own else None
    centre, centre_source = _first(given.centre_deg, own_centre, 0.0)
    centre_warnings = _contradiction("centre_deg", centre, own_centre)
    if angles.projection == "rectilinear" and max(angles.fov_deg, vertical) >= 180:
        raise BadConfig(
            f"the angles are {angles.fov_deg:g} x {vertical:g}; a flat (rectilinear) picture has less than 180 degrees"
        )
    return ResolvedView(
        heading,
        angles.fov_deg,
        vertical,
        centre,
        angles.projection,
        photo.offset_deg if angles.own else 0.0,
        photo.pitch_deg,
        photo.roll_deg,
        heading_source,
        angles.source,
        vertical_source,
        centre_source,
        heading_warnings + angles.warnings + vertical_warnings + centre_warnings,
    )


def _heading(given: GivenView, photo: PhotoMetadata) -> tuple[float | None, Source, tuple[str, ...]]:
    if given.heading_deg == "unknown":
        return None, "unknown", ()
    if given.heading_deg is None:
        source: Source = "unknown" if photo.heading_deg is None else "photo"
        return photo.heading_deg, source, photo.heading_doubts
    heading = normal_heading(given.heading_deg)
    if photo.heading_deg is None:
        return heading, "given", ()
    apart = abs((heading - photo.heading_deg + 180.0) % 360.0 - 180.0)
    if apart <= HEADING_TOLERANCE_DEG:
        return heading, "given", ()
    return (
        heading,
        "given",
        (f"heading_deg {heading:g} is given, and the photo says {photo.heading_deg:.4g}; the given one is used",),
    )


def _angles(given: GivenView, photo: PhotoMetadata, width_px: int, height_px: int) -> _Angles:
    """The horizontal angle, what it means, and its source."""
    if given.fov_deg is None:
        if photo.fov_deg is None:
            return _assumed(given, photo, width_px, height_px)
        meant = given.projection or photo.projection or "equirectangular"
        return _Angles(photo.fov_deg, meant, "photo", photo.view_doubts, own=True)
    warnings = _contradiction("fov_deg", given.fov_deg, photo.fov_deg)
    own = photo.fov_deg is not None and not warnings
    guess = photo.projection if own else None
    guess = guess or _projection_of(photo, given.fov_deg, width_px / height_px)
    return _Angles(given.fov_deg, given.projection or guess, "given", warnings, own)


def _projection_of(photo: PhotoMetadata, fov_deg: float, aspect: float) -> Projection:
    """What a given angle means: a panorama's own projection; flat for what can be an ordinary photo."""
    if photo.panorama:
        return "equirectangular"
    return "rectilinear" if fov_deg <= _WIDEST_FLAT_DEG and not is_strip(aspect) else "equirectangular"


def _assumed(given: GivenView, photo: PhotoMetadata, width_px: int, height_px: int) -> _Angles:
    """From the shape alone: a whole sphere is 2:1, a strip may be a whole circle, anything else an ordinary photo."""
    aspect = width_px / height_px
    doubts = photo.view_doubts
    if is_sphere(aspect) and given.projection != "rectilinear":
        return _Angles(360.0, "equirectangular", "assumed", doubts)
    if (photo.panorama or is_strip(aspect)) and given.projection != "rectilinear":
        fov_deg = min(360.0, 180.0 * aspect)
        warning = f"the photo does not say how wide it sees; fov_deg {fov_deg:.3g} is assumed, as of a whole panorama"
        return _Angles(fov_deg, "equirectangular", "assumed", (*doubts, f"{warning}; if it is less, give fov_deg"))
    angles, _ = lens_angles(TYPICAL_FOCAL_MM, width_px, height_px)
    fov_deg = angles[0] if angles is not None else 60.0
    warning = (
        f"the photo does not say how wide it sees; fov_deg {fov_deg:.3g} is assumed, as of a phone's main camera "
        f"({TYPICAL_FOCAL_MM:g} mm in 35 mm terms); give fov_deg"
    )
    return _Angles(fov_deg, given.projection or "rectilinear", "assumed", (*doubts, warning))


def _vertical(
    given: GivenView, photo: PhotoMetadata, angles: _Angles, width_px: int, height_px: int
) -> tuple[float, Source, tuple[str, ...]]:
    own = photo.vertical_deg if angles.own else None
    if given.vertical_deg is not None:
        return given.vertical_deg, "given", _contradiction("vertical_deg", given.vertical_deg, own)
    if own is not None:
        return own, "photo", ()
    if angles.projection == "rectilinear":
        return flat_vertical_deg(angles.fov_deg, width_px, height_px), "assumed", ()
    doubts = () if angles.warnings else tuple(shape_warnings(width_px, height_px, angles.fov_deg))
    return min(180.0, angles.fov_deg * height_px / width_px), "assumed", doubts


def _contradiction(name: str, given_deg: float, photo_deg: float | None) -> tuple[str, ...]:
    if photo_deg is None or abs(given_deg - photo_deg) <= max(ANGLE_TOLERANCE_DEG, 0.1 * photo_deg):
        return ()
    return (f"{name} {given_deg:g} is given, and the photo says {photo_deg:.4g}; the given one is used",)


def _first(given: float | None, photo: float | None, assumed: float) -> tuple[float, Source]:
    if given is not None:
        return given, "given"
    return (assumed, "assumed") if photo is None else (photo, "photo")


def _check(name: str, value: float | None, holds: Callable[[float], bool], range_: str) -> None:
    if value is not None and not holds(value):
        raise BadConfig(f"{name} is {value}; give degrees in {range_}")
