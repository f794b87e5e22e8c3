"""One position from the best tiles: where, how exact, and how sure.

With a calibration the position, its radius and its confidence are those that were fitted. Without one the position is
the point of the best tile that matches, and the radius says what the tiles leave open: half the tile's diagonal,
widened by how far its rivals lie away and how close their scores come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from indexer.confidence.calibration import Calibration
from indexer.confidence.features import TopK
from model.common.geo import LatLon, great_circle_m

__all__ = ["Position", "locate"]


@dataclass(frozen=True)
class Position:
    """An estimated position.

    Attributes:
        centre: the place.
        radius_m: extent of what is left open. With a calibration: of the right answers, 68 % lie within it.
        confidence: probability that the true place lies within `confidence_radius_m`; None without a calibration.
        confidence_radius_m: what the confidence is about; None without a calibration.
        no_confidence_because: why there is no confidence, and what to do; None beside one.
    """

    centre: LatLon
    radius_m: float
    confidence: float | None = None
    confidence_radius_m: float | None = None
    no_confidence_because: str | None = None

    def as_json(self) -> dict[str, float | str | None]:
        """As every answer has it, on the command line and over HTTP: how sure first, then where, to a centimetre."""
        return {
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "confidence_radius_m": self.confidence_radius_m,
            "no_confidence_because": self.no_confidence_because,
            "lat": round(self.centre.lat, 7),
            "lon": round(self.centre.lon, 7),
            "radius_m": round(self.radius_m, 1),
        }


def locate(candidates: TopK, calibration: Calibration | str) -> Position:
    """The position that the best tiles of a photo speak for.

    Args:
        candidates: the best tiles.
        calibration: one that speaks about the question, or why there is none.
    """
    if isinstance(calibration, str):
        return _uncalibrated(candidates, calibration)
    read = calibration.reading.read(candidates)
    confidence = calibration.confidence_in(read.features)
    return Position(read.centre, calibration.radius_m, float(confidence), calibration.reading.here_m)


def _uncalibrated(candidates: TopK, reason: str) -> Position:
    centre, bounds = LatLon(float(candidates.lats[0]), float(candidates.lons[0])), candidates.best
    diagonal_m = great_circle_m(LatLon(bounds.south, bounds.west), LatLon(bounds.north, bounds.east))
    radius_m = math.hypot(diagonal_m / 2, _spread_m(candidates, centre))
    return Position(centre, radius_m, no_confidence_because=reason)


def _spread_m(candidates: TopK, centre: LatLon) -> float:
    """Root mean square distance of the rivals; the nearer a score is to the best of them, the more it weighs."""
    scores = candidates.scores
    span = scores[0] - scores[-1]
    weights = np.ones_like(scores) if span <= 0 else ((scores - scores[-1]) / span) ** 2
    return float(np.sqrt(np.average(candidates.distances_m(centre) ** 2, weights=weights)))
