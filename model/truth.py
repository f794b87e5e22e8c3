"""What is right for each query of a data set: all that scoring needs to know of it, without its pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.data.pairs import PairSet
from model.geo import EARTH_RADIUS_M, LatLon, great_circle_many_m

__all__ = ["Nearby", "Truth"]

_Rows = NDArray[np.int64]
_Degrees = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """The right answers of a data set.

    Attributes:
        data: its name.
        pictures: Q names of queries.
        tiles: R names of references.
        positives: for each query the rows of its positives, at least one.
        semi_positives: for each query the rows of other references that cover it; empty where none are known.
        places: float64 [Q, 2], latitude and longitude of the queries; NaN where unknown.
        centres: float64 [R, 2], of the references, likewise.
    """

    data: str
    pictures: tuple[str, ...]
    tiles: tuple[str, ...]
    positives: tuple[_Rows, ...]
    semi_positives: tuple[_Rows, ...]
    places: _Degrees
    centres: _Degrees

    @classmethod
    def of(cls, pairs: PairSet) -> Truth:
        """What a data set says; pictures are named by their paths below the folder that all of them share."""
        names = _names([*(query.path for query in pairs.queries), *(tile.path for tile in pairs.references)])
        return cls(
            pairs.name,
            names[: len(pairs.queries)],
            names[len(pairs.queries) :],
            tuple(np.atleast_1d(rows) for rows in pairs.positives),
            tuple(np.array(rows, np.int64) for rows in pairs.semi_positives),
            _degrees([query.location for query in pairs.queries]),
            _degrees([tile.location for tile in pairs.references]),
        )

    @property
    def distractors(self) -> _Rows:
        """The references, ascending, that are no query's positive."""
        alone = np.ones(len(self.tiles), np.bool_)
        alone[np.concatenate(self.positives)] = False
        return np.flatnonzero(alone)

    @property
    def positives_each(self) -> tuple[int, int]:
        """The fewest and the most positives of a query."""
        counts = [len(rows) for rows in self.positives]
        return min(counts), max(counts)


class Nearby:
    """Finds the references around a place."""

    def __init__(self, centres: _Degrees) -> None:
        """`centres` float64 [R, 2] are latitudes and longitudes in degrees."""
        self._order = np.argsort(centres[:, 0], kind="stable")
        self._sorted = centres[self._order]

    def rows(self, place: _Degrees, radius_m: float) -> _Rows:
        """The references, ascending, whose centres lie within a distance of a place (lat, lon), the edge included."""
        reach_deg = float(np.degrees(radius_m / EARTH_RADIUS_M)) + 1e-9  # nothing is nearer than its latitude
        first, last = np.searchsorted(self._sorted[:, 0], [place[0] - reach_deg, place[0] + reach_deg])
        band = self._sorted[first:last]
        near = great_circle_many_m(place[0], place[1], band[:, 0], band[:, 1]) <= radius_m
        return np.sort(self._order[first:last][near])


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    whole = [path.absolute() for path in paths]
    root = os.path.commonpath({str(path.parent) for path in whole})
    return tuple(str(path)[len(root) :].lstrip(os.sep) for path in whole)


def _degrees(locations: Sequence[LatLon | None]) -> _Degrees:
    return np.array([(at.lat, at.lon) if at else (np.nan, np.nan) for at in locations], np.float64).reshape(-1, 2)
