"""One position from the best matches.

For now the position is the centre of the best tile. The radius says what the matches leave open: half the tile's
diagonal, widened by how far its rivals lie away and how close their scores come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.geo import Bounds, LatLon, great_circle_m, great_circle_many_m

__all__ = ["RIVALS", "Candidate", "Position", "fuse"]

RIVALS = 10
"""Number of best matches that the estimate looks at, whatever `top_k` a client asks for."""


@dataclass(frozen=True)
class Candidate:
    """A matching tile as the estimate sees it."""

    centre: LatLon
    bounds: Bounds
    score: float


@dataclass(frozen=True)
class Position:
    """An estimated position. `confidence` is None until the index carries a calibration."""

    centre: LatLon
    radius_m: float
    confidence: float | None = None


def fuse(candidates: Sequence[Candidate]) -> Position:
    """The position that one or more candidates, best first, speak for.

    Example:
        >>> tile = Candidate(LatLon(0.0, 0.0), Bounds(-0.001, -0.001, 0.001, 0.001), 0.9)
        >>> round(fuse([tile]).radius_m)
        157
    """
    best, rivals = candidates[0], candidates[:RIVALS]
    bounds = best.bounds
    diagonal_m = great_circle_m(LatLon(bounds.south, bounds.west), LatLon(bounds.north, bounds.east))
    return Position(best.centre, math.hypot(diagonal_m / 2, _spread_m(best.centre, rivals)))


def _spread_m(centre: LatLon, rivals: Sequence[Candidate]) -> float:
    """Root mean square distance of the rivals; the nearer a score is to the best of them, the more it weighs."""
    scores = np.array([rival.score for rival in rivals], np.float64)
    span = scores[0] - scores.min()
    weights = np.ones_like(scores) if span <= 0 else ((scores - scores.min()) / span) ** 2
    lats, lons = zip(*((rival.centre.lat, rival.centre.lon) for rival in rivals), strict=True)
    distances = great_circle_many_m(centre.lat, centre.lon, np.array(lats), np.array(lons))
    return float(np.sqrt(np.average(distances**2, weights=weights)))
