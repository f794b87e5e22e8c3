"""Photos taken one after the other: the most plausible way through their matches (Viterbi, with frames left out).

Each photo's matches are candidates. A way chooses one for some photos and leaves out others; it is rated by the
matches' scores, by how far it moves between two photos beyond what the time between them allows, and by how many photos
it leaves out. Those lie on the line between their neighbours. The best way is found exactly. It may move farther than
it can, where leaving out all photos of one side would cost more; each point says by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadQuery
from model.common.counted import counted
from model.common.geo import LatLon, great_circle_m, great_circle_many_m, normal_lon

__all__ = ["Candidates", "TrackPoint", "find_track"]

_Floats = NDArray[np.float64]

_SHARPNESS = 0.04
"""Difference of two scores at which the better is e times as likely."""
_LEFT_OUT = 3.5
"""Price of leaving a photo out, in the logarithm of a likelihood: a match of 3 % is worth it, a worse one is not."""
_LONGEST_GAP = 8
"""Photos left out in a row at most, unless nothing else is left."""
_TOO_FAR = 12.0
"""The most that an impossible move costs, so that a way exists in any case."""


@dataclass(frozen=True)
class Candidates:
    """Where one photo may have been taken.

    Attributes:
        places: best first, at least one.
        scores: of each.
    """

    places: tuple[LatLon, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class TrackPoint:
    """Where the way puts one photo.

    Attributes:
        place: of the chosen match, or between the neighbours.
        match: number of the chosen match, from 0; None where the photo was left out.
        beyond_m: by how much the way from the chosen match before it is longer than one can get; 0 at the first one;
            None where the photo was left out.
    """

    place: LatLon
    match: int | None
    beyond_m: float | None = None


def find_track(photos: Sequence[Candidates | None], *, reach_m: Sequence[float], tile_m: float) -> list[TrackPoint]:
    """The most plausible way through the matches of photos in the order in which they were taken.

    Args:
        photos: matches of each; None for a photo without any.
        reach_m: how far one can get between each photo and the next.
        tile_m: side of a tile, which is how exact a match is.

    Raises:
        BadQuery: no photo has matches, or reaches of another number.
    """
    if len(reach_m) != max(0, len(photos) - 1):
        raise BadQuery(f"{counted(len(photos), 'photo')}, and {len(reach_m)} reaches between them; give one less")
    usable = [number for number, photo in enumerate(photos) if photo is not None]
    if not usable:
        raise BadQuery("no photo of the sequence has a match; is the area empty?")
    reached_m = np.concatenate([[0.0], np.cumsum(reach_m)])
    return _placed(photos, _best_way(photos, usable, reached_m, tile_m), reached_m)


def _best_way(
    photos: Sequence[Candidates | None], usable: Sequence[int], reached_m: _Floats, tile_m: float
) -> dict[int, int]:
    """Photo -> number of its chosen match."""
    emitted = {number: _log_likelihoods(photos[number]) for number in usable}
    best: dict[int, _Floats] = {}
    before: dict[int, list[tuple[int, int] | None]] = {}
    for at, number in enumerate(usable):
        rating = emitted[number] - _LEFT_OUT * number  # a way that begins here leaves out all before
        came: list[tuple[int, int] | None] = [None] * len(rating)
        for earlier in usable[max(0, at - _LONGEST_GAP - 1) : at]:
            moves = _moves(photos[earlier], photos[number], reached_m[number] - reached_m[earlier], tile_m)
            ways = best[earlier][:, np.newaxis] + moves + emitted[number] - _LEFT_OUT * (number - earlier - 1)
            chosen = ways.argmax(axis=0)
            for match in np.flatnonzero(ways.max(axis=0) > rating):
                rating[match] = ways[chosen[match], match]
                came[match] = (earlier, int(chosen[match]))
        best[number], before[number] = rating, came
    last = max(usable, key=lambda number: best[number].max() - _LEFT_OUT * (len(photos) - 1 - number))
    way: dict[int, int] = {}
    step: tuple[int, int] | None = (last, int(best[last].argmax()))
    while step is not None:
        way[step[0]] = step[1]
        step = before[step[0]][step[1]]
    return way


def _log_likelihoods(photo: Candidates | None) -> _Floats:
    assert photo is not None
    scaled = np.asarray(photo.scores, np.float64) / _SHARPNESS
    return np.asarray(scaled - np.logaddexp.reduce(scaled), np.float64)


def _moves(a: Candidates | None, b: Candidates | None, reach_m: float, tile_m: float) -> _Floats:
    """What moving from each match of one photo to each of another costs, [A, B], at most 0."""
    assert a is not None
    assert b is not None
    lat_a, lon_a = (np.array([getattr(place, axis) for place in a.places])[:, np.newaxis] for axis in ("lat", "lon"))
    lat_b, lon_b = (np.array([getattr(place, axis) for place in b.places])[np.newaxis] for axis in ("lat", "lon"))
    beyond = np.maximum(0.0, great_circle_many_m(lat_a, lon_a, lat_b, lon_b) - reach_m)
    return np.asarray(-np.minimum(_TOO_FAR, (beyond / tile_m) ** 2), np.float64)


def _placed(photos: Sequence[Candidates | None], way: dict[int, int], reached_m: _Floats) -> list[TrackPoint]:
    """A place for every photo: its match, or between those around it."""
    known = sorted(way)
    points = []
    for number in range(len(photos)):
        photo = photos[number]
        if number in way and photo is not None:
            before = max((one for one in known if one < number), default=number)
            moved_m = great_circle_m(_place(photos, way, before), _place(photos, way, number))
            beyond_m = max(0.0, moved_m - float(reached_m[number] - reached_m[before]))
            points.append(TrackPoint(photo.places[way[number]], way[number], beyond_m))
            continue
        earlier = max((one for one in known if one < number), default=known[0])
        later = min((one for one in known if one > number), default=known[-1])
        share = 0.0 if earlier == later else (number - earlier) / (later - earlier)
        points.append(TrackPoint(_between(_place(photos, way, earlier), _place(photos, way, later), share), None))
    return points


def _place(photos: Sequence[Candidates | None], way: dict[int, int], number: int) -> LatLon:
    photo = photos[number]
    assert photo is not None
    return photo.places[way[number]]


def _between(a: LatLon, b: LatLon, share: float) -> LatLon:
    """On the line between two places that lie near each other."""
    east_deg = (b.lon - a.lon + 180.0) % 360.0 - 180.0
    return LatLon(a.lat + share * (b.lat - a.lat), normal_lon(a.lon + share * east_deg))
