"""Which photos can be trained on: those with a position that was measured, a heading, and something to see.

Each photo that is left out has one reason, the first that holds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from indexer.pairs.photos import PlacedPhoto
from model.common.atomic_io import sha256_file
from model.common.errors import BadCoordinates
from model.common.geo import EARTH_RADIUS_M, LatLon, great_circle_m
from model.common.image_formats import open_header, without_pixels
from model.common.orientation import upright_size
from model.common.plain_files import read_plain
from model.inputs.photo_metadata import metadata_of, read_photo_position, read_position_error_m
from model.inputs.photo_view import ResolvedView, resolve_view

__all__ = ["LeftOut", "Screen", "UsablePhoto"]

_Cell = tuple[int, int, int]
_ROUND_DEG = 1e-3
"""A position whose two numbers are whole multiples of this was rounded: 111 m of latitude."""
_SAME_LOOK_DEG = 30.0
"""Photos of one place that look further apart than this show different things."""
_SPHERE_DEG = 170.0
"""Vertical angle of what can only be a whole sphere, so that its shape says how wide it sees."""
_WHOLE_DEG = 300.0
"""Pictures wider than this show one place alike wherever they look."""


@dataclass(frozen=True)
class UsablePhoto:
    """A photo that passed.

    Attributes:
        path: the file.
        name: what to call it in tables.
        place: where it was taken.
        view: where it looks and how wide; its heading is known.
    """

    path: Path
    name: str
    place: LatLon
    view: ResolvedView

    @property
    def heading_deg(self) -> float:
        """Direction of its centre column, clockwise from north."""
        return self.view.heading_deg or 0.0


@dataclass(frozen=True)
class LeftOut:
    """A photo that is not used.

    Attributes:
        name: what it is called.
        reason: a few words, the same for all of its kind.
        detail: what was seen.
        place: where it was taken, if that is known.
    """

    name: str
    reason: str
    detail: str = ""
    place: LatLon | None = None


class Screen:
    """Looks at one photo after another; it remembers the places and pictures of those that passed."""

    def __init__(self, *, apart_m: float, accuracy_m: float) -> None:
        """A photo is too many within `apart_m` of one that looks alike, and too vague beyond `accuracy_m`."""
        self._apart_m, self._accuracy_m = apart_m, accuracy_m
        self._kept: dict[_Cell, list[UsablePhoto]] = defaultdict(list)
        self._digests: dict[str, str] = {}

    def judge(self, photo: PlacedPhoto) -> UsablePhoto | LeftOut:
        """The photo with its place and view; or why it is left out."""
        try:
            place = _place(photo)
            return place if isinstance(place, LeftOut) else self._judge_at(photo, place)
        except OSError as error:
            return LeftOut(photo.name, "cannot be read", error.strerror or str(error))

    def _judge_at(self, photo: PlacedPhoto, place: LatLon) -> UsablePhoto | LeftOut:
        if _is_round(place.lat) and _is_round(place.lon):
            return LeftOut(photo.name, "blurred position", f"{place.lat:g}, {place.lon:g} was rounded", place)
        error_m = read_position_error_m(photo.path)
        if error_m is not None and error_m > self._accuracy_m:
            return LeftOut(photo.name, "blurred position", f"known to {error_m:.0f} m only", place)
        view = _view(photo)
        if isinstance(view, str):
            return LeftOut(photo.name, "not a picture", view, place)
        if view.heading_deg is None:
            return LeftOut(photo.name, "no heading", "neither compass nor panorama tags say one", place)
        if view.fov_source == "assumed" and view.vertical_deg < _SPHERE_DEG:
            detail = "no panorama of 2:1, and neither focal length nor tags say how wide it sees"
            return LeftOut(photo.name, "no field of view", detail, place)
        return self._keep(UsablePhoto(photo.path, photo.name, place, view))

    def _keep(self, photo: UsablePhoto) -> UsablePhoto | LeftOut:
        """Remember a photo, unless there is one like it."""
        digest = sha256_file(photo.path)
        if digest in self._digests:
            return LeftOut(photo.name, "duplicate picture", f"the same as {self._digests[digest]}", photo.place)
        cell = _cell(photo.place, max(self._apart_m, 0.1))
        for near in self._near(cell):
            distance_m = great_circle_m(near.place, photo.place)
            if distance_m < self._apart_m and _look_alike(near, photo):
                detail = f"{distance_m:.1f} m from {near.name}, which looks the same way"
                return LeftOut(photo.name, "duplicate position", detail, photo.place)
        self._kept[cell].append(photo)
        self._digests[digest] = photo.name
        return photo

    def _near(self, cell: _Cell) -> Iterator[UsablePhoto]:
        x, y, z = cell
        for i, j, k in product((-1, 0, 1), repeat=3):
            yield from self._kept.get((x + i, y + j, z + k), ())


def _place(photo: PlacedPhoto) -> LatLon | LeftOut:
    if photo.lat is None and photo.lon is None:
        own = read_photo_position(photo.path)
        return own or LeftOut(photo.name, "no position", "its EXIF says none, or 0, 0")
    if photo.lat is None or photo.lon is None:
        return LeftOut(photo.name, "no position", "the table gives one of lat and lon alone")
    if photo.lat == 0.0 and photo.lon == 0.0:
        return LeftOut(photo.name, "no position", "0, 0 is what is written where nothing is known")
    try:
        return LatLon(photo.lat, photo.lon)
    except BadCoordinates as error:
        return LeftOut(photo.name, "no position", str(error))


def _view(photo: PlacedPhoto) -> ResolvedView | str:
    """What is known of the view, or why the file is no picture."""
    try:
        with open_header(without_pixels(read_plain(photo.path))) as image:
            return resolve_view(photo.given, metadata_of(image), *upright_size(image))
    except OSError as error:
        if photo.path.is_file():  # Pillow's word for bytes that are no picture
            return str(error)
        raise
    except Exception as error:  # a decoder may raise anything on hostile bytes
        return str(error)


def _look_alike(a: UsablePhoto, b: UsablePhoto) -> bool:
    if min(a.view.fov_deg, b.view.fov_deg) > _WHOLE_DEG:
        return True
    apart = abs((a.heading_deg - b.heading_deg + 180.0) % 360.0 - 180.0)
    return apart < _SAME_LOOK_DEG and max(a.view.fov_deg, b.view.fov_deg) <= _WHOLE_DEG


def _is_round(degrees: float) -> bool:
    return abs(degrees / _ROUND_DEG - round(degrees / _ROUND_DEG)) < 1e-6


def _cell(place: LatLon, side_m: float) -> _Cell:
    """A cube of this side in space: what is nearer than that lies in it or in one beside it, at any latitude."""
    lat, lon = math.radians(place.lat), math.radians(place.lon)
    axes = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
    x, y, z = (math.floor(axis * EARTH_RADIUS_M / side_m) for axis in axes)
    return x, y, z
