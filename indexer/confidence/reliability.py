"""How good a confidence is, measured on photos whose place is known.

Expected calibration error as Guo et al. 2017 define it (arXiv:1706.04599, section 2), in bins of equal mass as
Nixon et al. 2019 advise (arXiv:1904.01685): 15 bins of equally many photos, in each the distance between the mean
confidence and the share of right answers, averaged. Even a perfect confidence scores above zero on few photos.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Bin", "Distances", "Reliability", "calibration_error", "measure", "reliability_bins"]

BINS = 15
"""Bins of equal mass."""

_CLEARLY = 0.99

_Floats = NDArray[np.float64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Bin:
    """Some photos of similar confidence: mean confidence and share of right answers, both in [0, 1], and how many."""

    confidence: float
    right: float
    photos: int


@dataclass(frozen=True)
class Distances:
    """From the estimate to the true place, in metres, over the photos taken inside the index."""

    median_m: float
    p90_m: float

    @classmethod
    def of(cls, distances_m: _Floats) -> Distances | None:
        """Of some photos; None of none."""
        return cls(float(np.median(distances_m)), float(np.quantile(distances_m, 0.9))) if len(distances_m) else None

    def beats(self, other: Distances | None) -> bool:
        """Whether both numbers are smaller, by at least 1 %: less is chance."""
        if other is None:
            return False
        return self.median_m < _CLEARLY * other.median_m and self.p90_m < _CLEARLY * other.p90_m


@dataclass(frozen=True)
class Reliability:
    """What was measured.

    Attributes:
        photos: how many.
        right: of them placed within the radius of their true place.
        inside: of them taken where a tile of the index lies.
        ece: expected calibration error, in [0, 1].
        brier: mean squared difference between confidence and outcome, in [0, 1].
        auroc: chance that a right answer has more confidence than a wrong one; None where all are of one kind.
        auroc_inside: the same of photos taken inside the index against those taken outside.
        best_tile: distances of the point that the best tile matches.
        fused: distances of the position fused from the tiles that agree.
        bins: the reliability diagram, by rising confidence.
    """

    photos: int
    right: int
    inside: int
    ece: float
    brier: float
    auroc: float | None
    auroc_inside: float | None
    best_tile: Distances | None
    fused: Distances | None
    bins: tuple[Bin, ...]

    def as_json(self) -> dict[str, Any]:
        """One object; the share of right answers beside."""
        return asdict(self) | {"bins": [asdict(one) for one in self.bins], "base_rate": self.right / self.photos}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Reliability:
        """The reverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of another kind.
        """
        values = {name: value for name, value in content.items() if name != "base_rate"}
        values |= {name: float(content[name]) for name in ("ece", "brier")}
        values |= {name: content[name] and Distances(**content[name]) for name in ("best_tile", "fused")}
        return cls(**values | {"bins": tuple(Bin(**one) for one in content["bins"])})


def measure(
    confidence: _Floats, right: _Flags, inside: _Flags, *, best_tile_m: _Floats, fused_m: _Floats
) -> Reliability:
    """Compare confidences with outcomes.

    Args:
        confidence: [N] in [0, 1].
        right: [N] whether the true place lies within the radius of the estimate.
        inside: [N] whether it lies on a tile of the index.
        best_tile_m: [N] distance of the point that the best tile matches.
        fused_m: [N] distance of the fused position.
    """
    bins = reliability_bins(confidence, right)
    return Reliability(
        photos=len(right),
        right=int(right.sum()),
        inside=int(inside.sum()),
        ece=calibration_error(bins),
        brier=float(np.mean((confidence - right) ** 2)),
        auroc=_auroc(right, confidence),
        auroc_inside=_auroc(inside, confidence),
        best_tile=Distances.of(best_tile_m[inside]),
        fused=Distances.of(fused_m[inside]),
        bins=bins,
    )


def reliability_bins(confidence: _Floats, right: _Flags, count: int = BINS) -> tuple[Bin, ...]:
    """Photos sorted by confidence and cut into `count` bins of equal mass; fewer where there are fewer photos.

    Example:
        >>> reliability_bins(np.array([0.1, 0.9]), np.array([False, True]))
        (Bin(confidence=0.1, right=0.0, photos=1), Bin(confidence=0.9, right=1.0, photos=1))
    """
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(count, len(order)))
    return tuple(Bin(float(confidence[part].mean()), float(right[part].mean()), len(part)) for part in parts)


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Expected calibration error of a reliability diagram."""
    gaps = [abs(one.confidence - one.right) * one.photos for one in bins]
    return sum(gaps) / sum(one.photos for one in bins)


def _auroc(positive: _Flags, confidence: _Floats) -> float | None:
    from scipy.stats import mannwhitneyu

    if positive.all() or not positive.any():
        return None
    pairs = positive.sum() * (~positive).sum()
    return float(mannwhitneyu(confidence[positive], confidence[~positive], method="asymptotic").statistic / pairs)
