"""Fitting a confidence: how probable it is that the true place lies within R metres of the estimate.

A regularised logistic regression on the features of `indexer.confidence.features`. What is reported of it was measured
on photos that were left out while fitting, in folds that keep photos of one place together, as neighbouring photos look
alike.
Whether the estimate is fused from the tiles that agree, or is the point that the best tile matches, is decided on such
photos, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadPhotos
from indexer.confidence.calibration import Calibration, Calibrations, Logistic
from indexer.confidence.features import FeatureReader
from indexer.confidence.folds import spread
from indexer.confidence.queries import KnownPhoto, SearchedPhotos
from indexer.confidence.regression import fit_logistic
from indexer.confidence.reliability import Distances, Reliability, measure
from indexer.index.index_manifest import IndexManifest
from model._version import VERSION
from model.common.counted import counted
from model.common.geo import EARTH_RADIUS_M, great_circle_m

__all__ = ["LEAST_PHOTOS", "Fitted", "check", "default_radius_m", "fit", "require_enough"]

LEAST_PHOTOS = 100
"""Below this the shares in the reliability diagram are noise."""
_LEAST_OF_A_KIND = 10
"""Right answers, and wrong ones, that a fit needs: two in each fold."""
_FOLDS = 5
_TEMPERATURES = (0.01, 0.02, 0.04, 0.08, 0.16)
"""Score differences that are tried; cosine similarities of rivals differ by about as much."""
_REACH_TILES = 1.1
"""Tiles that agree are neighbours: next to each other on a grid, with a margin for rounding."""
_RADIUS_SHARE = 0.68
"""Share of the right answers that the reported radius holds, as one standard deviation would."""
_LEAST_RADIUS_M = 1.0
"""The coordinates of photos are not known better."""

_FEW_PLACES = "they come from too few places to be left out in turn; add photos from others"

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]
_Fold = tuple[_Ints, _Ints]


@dataclass(frozen=True)
class Fitted:
    """A calibration, and what it says of its photos while they were left out: confidence [N], whether right [N]."""

    calibration: Calibration
    held_out: Reliability
    confidence: _Floats
    right: _Flags


def default_radius_m(manifest: IndexManifest) -> float:
    """One tile's side on the ground, to the decimetre."""
    return round(math.sqrt(manifest.tile_size_m[0] * manifest.tile_size_m[1]), 1)


def require_enough(photos: int) -> None:
    """Make sure that there are enough photos to fit on.

    Raises:
        BadPhotos: there are not.
    """
    if photos < LEAST_PHOTOS:
        told = counted(photos, "photo", "is", "are")
        raise BadPhotos(f"{told} too few to calibrate on; give at least {LEAST_PHOTOS}, better 1,000")


def fit(asked: SearchedPhotos, manifest: IndexManifest, *, radius_m: float) -> Fitted:
    """Fit a calibration of an index.

    Args:
        asked: photos and what the index answers to them.
        manifest: of the index.
        radius_m: how far from the estimate the true place may lie for the answer to be right.

    Raises:
        BadPhotos: fewer than 100, too few right or wrong answers to tell them apart, or all from a few places.
    """
    require_enough(len(asked.photos))
    reach_m = round(_REACH_TILES * default_radius_m(manifest), 1)
    reading = FeatureReader(radius_m, reach_m, _TEMPERATURES[0], fused=False)
    best_tile = _Table.read(asked.photos, reading)
    fused = _Table.read(asked.photos, replace(reading, fused=True))
    folds = _folds(best_tile.right(0), _place_numbers(asked.photos, 2 * default_radius_m(manifest)), radius_m)
    best_tile_m, fused_m = best_tile.errors_m[0], fused.held_out_errors(folds)
    table = fused if _beats(fused_m, best_tile_m, fused.inside) else best_tile
    confidence, right = table.held_out_confidence(folds)
    held_out = measure(confidence, right, table.inside, best_tile_m=best_tile_m, fused_m=fused_m)
    fused_temperature = _TEMPERATURES[fused.temperature(np.arange(len(asked.photos)))]
    calibration = _calibration(asked, manifest, table, held_out, fused_temperature)
    return Fitted(calibration, held_out, confidence, right)


def check(asked: SearchedPhotos, calibration: Calibration) -> Reliability:
    """Measure a calibration on photos that it was not fitted on.

    Raises:
        BadPhotos: they were asked under other conditions than those it speaks about.
    """
    Calibrations((calibration,)).require(asked.conditions)
    reading = calibration.reading
    ways = replace(reading, fused=False), replace(reading, fused=True, temperature=calibration.fused_temperature)
    best_tile_m, fused_m = (np.array([_error_m(photo, way) for photo in asked.photos]) for way in ways)
    features = np.array([reading.read(photo.candidates).features for photo in asked.photos])
    right = (fused_m if reading.fused else best_tile_m) <= reading.here_m
    inside = np.array([photo.inside for photo in asked.photos])
    return measure(calibration.confidence_in(features), right, inside, best_tile_m=best_tile_m, fused_m=fused_m)


@dataclass(frozen=True)
class _Table:
    """All photos, read in one way at each of T temperatures.

    Attributes:
        reading: the way, at the first temperature.
        errors_m: [T, N] from the estimate to the true place.
        features: [T, N, 5].
        inside: [N] whether a tile lies at the true place.
    """

    reading: FeatureReader
    errors_m: _Floats
    features: _Floats
    inside: _Flags

    @classmethod
    def read(cls, photos: Sequence[KnownPhoto], reading: FeatureReader) -> _Table:
        readings = [replace(reading, temperature=temperature) for temperature in _TEMPERATURES]
        return cls(
            reading,
            np.array([[_error_m(photo, at) for photo in photos] for at in readings]),
            np.array([[at.read(photo.candidates).features for photo in photos] for at in readings]),
            np.array([photo.inside for photo in photos]),
        )

    def right(self, at: int) -> _Flags:
        """[N] whether the true place is near enough, at a temperature."""
        right: _Flags = self.errors_m[at] <= self.reading.here_m
        return right

    def temperature(self, rows: _Ints) -> int:
        """Which temperature serves some photos best: the nearest positions or, where it moves none, the best fit."""
        if not self.reading.fused:
            return int(np.argmin([self._log_loss(at, rows) for at in range(len(_TEMPERATURES))]))
        useful = rows[self.inside[rows]] if self.inside[rows].any() else rows
        return int(np.argmin(np.log1p(self.errors_m[:, useful] / self.reading.reach_m).mean(axis=1)))

    def model(self, at: int, rows: _Ints) -> Logistic:
        """Fitted on some photos at a temperature."""
        right = self.right(at)[rows]
        if right.all() or not right.any():
            raise BadPhotos(f"without one fifth of the photos, all others are right or all are wrong: {_FEW_PLACES}")
        return fit_logistic(self.features[at, rows], right)

    def held_out_errors(self, folds: Sequence[_Fold]) -> _Floats:
        """[N] error of each photo at the temperature that serves the others best."""
        errors_m = np.empty(len(self.inside))
        for train, test in folds:
            errors_m[test] = self.errors_m[self.temperature(train), test]
        return errors_m

    def held_out_confidence(self, folds: Sequence[_Fold]) -> tuple[_Floats, _Flags]:
        """Confidence [N] in each photo by what was fitted on the others, and whether it was right [N]."""
        confidence, right = np.empty(len(self.inside)), np.empty(len(self.inside), np.bool_)
        for train, test in folds:
            at = self.temperature(train)
            confidence[test] = self.model(at, train).of(self.features[at, test])
            right[test] = self.right(at)[test]
        return confidence, right

    def _log_loss(self, at: int, rows: _Ints) -> float:
        confidence = self.model(at, rows).of(self.features[at, rows])
        return -float(np.log(np.where(self.right(at)[rows], confidence, 1.0 - confidence)).mean())


def _calibration(
    asked: SearchedPhotos, manifest: IndexManifest, table: _Table, held_out: Reliability, fused_temperature: float
) -> Calibration:
    """The one that is kept, fitted on all photos."""
    everything = np.arange(len(asked.photos))
    at = table.temperature(everything)
    radius_m = float(np.quantile(table.errors_m[at, table.right(at)], _RADIUS_SHARE))
    return Calibration(
        encoder=manifest.encoder["digest"],
        index=manifest.digest,
        reading=replace(table.reading, temperature=_TEMPERATURES[at]),
        confidence=table.model(at, everything),
        radius_m=round(max(radius_m, _LEAST_RADIUS_M), 1),
        conditions=asked.conditions,
        photos=asked.about,
        held_out=held_out,
        fused_temperature=fused_temperature,
        written_by=VERSION,
    )


def _error_m(photo: KnownPhoto, reading: FeatureReader) -> float:
    return great_circle_m(reading.read(photo.candidates).centre, photo.place)


def _beats(fused_m: _Floats, best_tile_m: _Floats, inside: _Flags) -> bool:
    """Whether fusing brings photos taken inside the index nearer, in the median and in the 90th percentile."""
    fused = Distances.of(fused_m[inside])
    return fused is not None and fused.beats(Distances.of(best_tile_m[inside]))


def _folds(right: _Flags, places: _Ints, radius_m: float) -> list[_Fold]:
    """(train, test) rows; photos of one place are never on both sides."""
    told = f"{right.sum():,} of {len(right):,} photos are placed within {radius_m:g} m"
    if not _LEAST_OF_A_KIND <= right.sum() <= len(right) - _LEAST_OF_A_KIND:
        raise BadPhotos(
            f"{told}; at least {_LEAST_OF_A_KIND} must be, and as many must not. Add photos from outside the index "
            "for wrong answers; for right ones add photos from inside, or set a larger --radius-m"
        )
    if len(set(places.tolist())) < _FOLDS:
        raise BadPhotos(f"{told}, but {_FEW_PLACES}")
    fold, rows = spread(right, places, _FOLDS), np.arange(len(right))
    return [(rows[fold != number], rows[fold == number]) for number in range(_FOLDS)]


def _place_numbers(photos: Sequence[KnownPhoto], side_m: float) -> _Ints:
    """[N] a number for each photo, which those in the same square share; squares lie in rows along parallels."""
    lat, lon = np.radians([(photo.place.lat, photo.place.lon) for photo in photos]).T
    row = np.floor(lat * EARTH_RADIUS_M / side_m)
    # One cosine a row: with each photo's own, its square would depend on how far north it lies within the row.
    east_m = lon * EARTH_RADIUS_M * np.cos(row * side_m / EARTH_RADIUS_M)
    squares = np.stack([row, np.floor(east_m / side_m)], axis=1)
    return np.unique(squares, axis=0, return_inverse=True)[1].astype(np.int64).ravel()
