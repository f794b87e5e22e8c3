"""What is right for each query of a data set: all that scoring needs to know of it, without its pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadConfig
from model.common.geo import EARTH_RADIUS_M, LatLon, great_circle_many_m
from model.data.pairs import PairSet

__all__ = ["GroundTruth", "RadiusIndex"]

_Rows = NDArray[np.int64]
_Places = NDArray[np.float64]


@dataclass(frozen=True)
class GroundTruth:
    """The right answers of a data set.

    Attributes:
        data: its name.
        pictures: Q names of queries.
        tiles: R names of references.
        positives: for each query the rows of its positives, at least one.
        semi_positives: for each query the rows of other references that cover it; empty where none are known.
        places: float64 [Q, 2], latitude and longitude of the queries; NaN where unknown.
        centres: float64 [R, 2], of the references, likewise.
        places_m: float64 [Q, 2], of the queries on the plane that the data set measures distances on; None where it
            measures great circles.
        centres_m: float64 [R, 2], of the references, likewise.
    """

    data: str
    pictures: tuple[str, ...]
    tiles: tuple[str, ...]
    positives: tuple[_Rows, ...]
    semi_positives: tuple[_Rows, ...]
    places: _Places
    centres: _Places
    places_m: _Places | None = None
    centres_m: _Places | None = None

    @classmethod
    def of(cls, pairs: PairSet) -> GroundTruth:
        """What a data set says; pictures are named by their paths below the folder that all of them share."""
        names = _names([*(query.path for query in pairs.queries), *(tile.path for tile in pairs.references)])
        return cls(
            pairs.name,
            names[: len(pairs.queries)],
            names[len(pairs.queries) :],
            tuple(pairs.positive_rows()),
            tuple(np.array(rows, np.int64) for rows in pairs.semi_positives),
            _degrees([query.location for query in pairs.queries]),
            _degrees([tile.location for tile in pairs.references]),
            pairs.query_xy_m,
            pairs.reference_xy_m,
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


class RadiusIndex:
    """Finds the references around each query: on the data set's plane where it has one, else along great circles.

    Raises:
        BadConfig: a coordinate is not known.
    """

    def __init__(self, truth: GroundTruth) -> None:
        places, centres = truth.places, truth.centres
        self._on_plane = False
        if truth.places_m is not None and truth.centres_m is not None:
            places, centres, self._on_plane = truth.places_m, truth.centres_m, True
        for name, known in (("queries", places), ("references", centres)):
            if unknown := int(np.isnan(known).any(axis=1).sum()):
                raise BadConfig(
                    f"recall within a radius needs all coordinates, and {truth.data} lacks those of {unknown} of "
                    f"{len(known)} {name}; leave --within out"
                )
        self._places = places
        self._order = np.argsort(centres[:, 0], kind="stable")
        self._sorted = centres[self._order]

    def rows(self, query: int, radius_m: float) -> _Rows:
        """The references, ascending, whose centres are at most so far from a query."""
        place = self._places[query]
        # Nothing is nearer than its latitude, or than its first coordinate on a plane.
        reach = radius_m if self._on_plane else float(np.degrees(radius_m / EARTH_RADIUS_M)) + 1e-9
        first = np.searchsorted(self._sorted[:, 0], place[0] - reach, "left")
        last = np.searchsorted(self._sorted[:, 0], place[0] + reach, "right")
        band = self._sorted[first:last]
        distances_m = np.hypot(*(band - place).T) if self._on_plane else great_circle_many_m(*place, *band.T)
        return np.sort(self._order[first:last][distances_m <= radius_m])


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    whole = [path.absolute() for path in paths]
    root = os.path.commonpath({str(path.parent) for path in whole})
    return tuple(str(path)[len(root) :].lstrip(os.sep) for path in whole)


def _degrees(locations: Sequence[LatLon | None]) -> _Places:
    return np.array([(at.lat, at.lon) if at else (np.nan, np.nan) for at in locations], np.float64).reshape(-1, 2)
