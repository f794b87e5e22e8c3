"""A shortlist is read the same way whether it holds one tile or twenty, on a plain or across the antimeridian."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.confidence.features import BEST, FEATURES, FeatureReader
from model.common.geo import LatLon, great_circle_m
from tests.indexer.candidates import METRE, candidates

PLAIN = FeatureReader(here_m=100.0, reach_m=110.0, temperature=0.05, fused=False)
FUSED = FeatureReader(here_m=100.0, reach_m=110.0, temperature=0.05, fused=True)


def features(reading, *tiles):
    return dict(zip(FEATURES, reading.read(candidates(*tiles)).features, strict=True))


@pytest.mark.parametrize("reading", [PLAIN, FUSED])
def test_one_tile_has_no_rivals(reading):
    assert features(reading, (0, 0, 0.7)) == dict.fromkeys(FEATURES, 0.0) | {"score": 0.7}


def test_margin_is_to_the_best_tile_elsewhere():
    found = features(PLAIN, (0, 0, 0.9), (50, 0, 0.8), (500, 0, 0.6), (900, 0, 0.5))
    assert found["score"] == 0.9
    assert found["margin"] == pytest.approx(0.3)
    assert found["contrast"] == pytest.approx(0.4)


def test_where_all_tiles_are_here_the_last_score_bounds_those_elsewhere():
    found = features(PLAIN, (0, 0, 0.9), (50, 0, 0.8))
    assert found["margin"] == found["contrast"] == pytest.approx(0.1)


def test_agreement_is_the_margin_of_all_tiles():
    alone = features(PLAIN, (0, 0, 0.9), (500, 0, 0.8))
    supported = features(PLAIN, (0, 0, 0.9), (50, 0, 0.9), (500, 0, 0.8))
    assert alone["agreement"] == pytest.approx(0.1)
    assert supported["agreement"] == pytest.approx(0.1 + 0.05 * np.log(2))


def test_far_rivals_of_like_score_spread():
    near = features(PLAIN, (0, 0, 0.9), (300, 0, 0.9))["spread"]
    far = features(PLAIN, (0, 0, 0.9), (30_000, 0, 0.9))["spread"]
    unlikely = features(PLAIN, (0, 0, 0.9), (30_000, 0, 0.0))["spread"]
    assert near == pytest.approx(np.log1p(300 / 2**0.5 / 100), rel=1e-3)
    assert far > 5 > near > unlikely


def test_fused_centre_is_the_weighted_mean_of_tiles_that_agree():
    centre = FUSED.read(candidates((0, 0, 0.9), (80, 0, 0.9), (5_000, 0, 0.85))).centre
    assert centre.lon == pytest.approx(40 * METRE)


def test_several_tiles_that_agree_outvote_a_lone_better_one():
    centre = FUSED.read(candidates((5_000, 0, 0.9), (0, 0, 0.88), (50, 0, 0.88), (0, 50, 0.88))).centre
    assert great_circle_m(centre, LatLon(0.0, 0.0)) < 60


def test_fusing_works_across_the_antimeridian():
    west, east = 180.0 / METRE - 30, -180.0 / METRE + 30
    assert abs(FUSED.read(candidates((west, 0, 0.9), (east, 0, 0.9))).centre.lon) == pytest.approx(180.0)


def test_a_fused_estimate_has_tiles_here_even_for_a_small_radius():
    exact = FeatureReader(here_m=1.0, reach_m=110.0, temperature=0.05, fused=True)
    assert np.isfinite(exact.read(candidates((0, 0, 0.9), (80, 0, 0.9), (900, 0, 0.5))).features).all()


@pytest.mark.parametrize(("reading", "margin"), [(PLAIN, 0.1), (FUSED, 0.3)])
def test_of_a_fused_estimate_tiles_within_reach_are_here_too(reading, margin):
    tiles = (0, 0, 0.9), (-1, 0, 0.9), (104, 0, 0.8), (900, 0, 0.6)  # the third more than 100 m from either estimate
    reading = replace(reading, temperature=0.001)  # so that it does not move the fused one
    assert features(reading, *tiles)["margin"] == pytest.approx(margin)


def test_only_the_best_few_are_looked_at():
    few = [(100.0 * i, 0, 0.9 - 0.01 * i) for i in range(BEST)]
    assert candidates(*few, (90_000, 0, 0.1)).scores.tolist() == candidates(*few).scores.tolist()
