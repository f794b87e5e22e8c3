"""What the best tiles of one photo say together: a position, and a few numbers that tell how far to trust it.

`calibrate` and the service both read a ranking here, so a confidence means in an answer what it meant when fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.index.searchable import SearchableIndex
from model.common.geo import Bounds, LatLon, great_circle_many_m, normal_lon
from model.inputs.heading_search import Hit

__all__ = ["BEST", "FEATURES", "FeatureReader", "PlaceFeatures", "TopK"]

BEST = 20
"""Number of best tiles that an estimate looks at, whatever `top_k` a client asks for."""

FEATURES = ("score", "margin", "contrast", "agreement", "spread")
"""What is read from the top K tiles. "Here" is within `FeatureReader.here_m` of the estimate, or of a fused one within
`FeatureReader.reach_m` where that is more, as it is by default (1.1 tile sides to 1); T is the temperature.

score: the best score here.
margin: that, less the best score elsewhere; where all tiles are here, less the last score, which bounds all others.
contrast: that, less the last score of the top K: how far it stands out from the background.
agreement: T log of (sum of exp(score / T) here / the same elsewhere): the margin between all tiles here and elsewhere.
spread: log(1 + d), d the root mean square distance of the tiles from the estimate in units of `here_m`, weighted by
    exp(score / T).
"""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TopK:
    """The best tiles of one photo, best first, K of them with 1 <= K <= `BEST`.

    Attributes:
        lats: float64 [K] degrees, of the points that the photo matches: the tiles' centres, or their best anchors;
            likewise lons.
        scores: float64 [K] cosine similarities, descending.
        best: footprint of the best tile.
    """

    lats: _Floats
    lons: _Floats
    scores: _Floats
    best: Bounds

    @classmethod
    def of(cls, index: SearchableIndex, hits: Sequence[Hit]) -> TopK:
        """The first `BEST` of what a search found, best first, at least one."""
        points = [index.point(hit.row, hit.anchor, hit.shift) for hit in hits[:BEST]]
        lats, lons = np.array([(point.lat, point.lon) for point in points], np.float64).T
        scores = np.array([hit.score for hit in hits[:BEST]], np.float64)
        return cls(lats, lons, scores, index.tile(hits[0].row).bounds)

    def distances_m(self, point: LatLon) -> _Floats:
        """[K] metres from a point to each tile's centre."""
        return great_circle_many_m(point.lat, point.lon, self.lats, self.lons)

    def weights(self, temperature: float) -> _Floats:
        """[K] exp(score / temperature), the best tile's being one."""
        weights: _Floats = np.exp((self.scores - self.scores[0]) / temperature)
        return weights


@dataclass(frozen=True)
class PlaceFeatures:
    """An estimated place and the `FEATURES` that speak for it, float64 [5]."""

    centre: LatLon
    features: _Floats


@dataclass(frozen=True)
class FeatureReader:
    """How the top K tiles are read.

    Attributes:
        here_m: tiles whose centres lie within it of the estimate count as the same place.
        reach_m: tiles whose centres lie within it of each other speak for one place; of a fused estimate it takes the
            place of a smaller `here_m` in telling which tiles are here.
        temperature: score difference that makes a tile count e times less.
        fused: whether the estimate is fused from the tiles that agree; otherwise it is the best tile's matching point.
    """

    here_m: float
    reach_m: float
    temperature: float
    fused: bool

    def read(self, candidates: TopK) -> PlaceFeatures:
        """The place that the top K speak for, and how clearly.

        Example:
            >>> one = TopK(np.zeros(1), np.zeros(1), np.array([0.9]), Bounds(-0.001, -0.001, 0.001, 0.001))
            >>> FeatureReader(100.0, 110.0, 0.05, fused=False).read(one).features.tolist()
            [0.9, 0.0, 0.0, 0.0, 0.0]
        """
        best = LatLon(float(candidates.lats[0]), float(candidates.lons[0]))
        centre = self._fused_centre(candidates) if self.fused else best
        return PlaceFeatures(centre, self._features(candidates, candidates.distances_m(centre)))

    def _fused_centre(self, candidates: TopK) -> LatLon:
        """Each tile collects the weights of the tiles around it; where most comes together, their weighted mean."""
        lats, lons, weights = candidates.lats, candidates.lons, candidates.weights(self.temperature)
        near = great_circle_many_m(lats[:, None], lons[:, None], lats, lons) <= self.reach_m
        chosen = int(np.argmax(near @ weights))
        share = weights * near[chosen] / (weights @ near[chosen])
        east_deg = (lons - lons[chosen] + 180.0) % 360.0 - 180.0  # across the antimeridian, too
        return LatLon(float(share @ lats), normal_lon(float(lons[chosen] + share @ east_deg)))

    def _features(self, candidates: TopK, distances_m: _Floats) -> _Floats:
        # A fused centre lies within reach_m of the tile it was chosen for, so at least that one is here.
        scores, weights = candidates.scores, candidates.weights(self.temperature)
        here = distances_m <= max(self.here_m, self.reach_m if self.fused else 0.0)
        elsewhere = scores[~here] if not here.all() else scores[-1:]
        best = scores[here].max()
        spread = np.log1p(np.sqrt(np.average(distances_m**2, weights=weights)) / self.here_m)
        agreement = self._softmax(scores[here]) - self._softmax(elsewhere)
        return np.array([best, best - elsewhere.max(), best - scores[-1], agreement, spread])

    def _softmax(self, scores: _Floats) -> float:
        """T log sum exp(score / T): the smooth maximum."""
        top = scores.max()
        return float(top + self.temperature * np.log(np.exp((scores - top) / self.temperature).sum()))
