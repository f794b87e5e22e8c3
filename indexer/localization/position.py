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
    """

    centre: LatLon
    radius_m: float
    confidence: float | None = None
    confidence_radius_m: float | None = None

    def as_json(self) -> dict[str, float | None]:
        """As every answer has it, on the command line and over HTTP: decimetres, confidence to four digits."""
        return {
            "lat": self.centre.lat,
            "lon": self.centre.lon,
            "radius_m": round(self.radius_m, 1),
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "confidence_radius_m": self.confidence_radius_m,
        }


def locate(candidates: TopK, calibration: Calibration | None = None) -> Position:
    """The position that the best tiles of a photo speak for."""
    if calibration is None:
        return _uncalibrated(candidates)
    evidence = calibration.reading.read(candidates)
    confidence = calibration.confidence.of(evidence.features)
    return Position(evidence.centre, calibration.radius_m, float(confidence), calibration.reading.here_m)


def _uncalibrated(candidates: TopK) -> Position:
    centre, bounds = LatLon(float(candidates.lats[0]), float(candidates.lons[0])), candidates.best
    diagonal_m = great_circle_m(LatLon(bounds.south, bounds.west), LatLon(bounds.north, bounds.east))
    return Position(centre, math.hypot(diagonal_m / 2, _spread_m(candidates, centre)))


def _spread_m(candidates: TopK, centre: LatLon) -> float:
    """Root mean square distance of the rivals; the nearer a score is to the best of them, the more it weighs."""
    scores = candidates.scores
    span = scores[0] - scores[-1]
    weights = np.ones_like(scores) if span <= 0 else ((scores - scores[-1]) / span) ** 2
    return float(np.sqrt(np.average(candidates.distances_m(centre) ** 2, weights=weights)))
