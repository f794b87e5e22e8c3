"""Without a calibration the estimate lies at the best tile; with one it is what was fitted."""

import math
from dataclasses import replace

import pytest

from indexer.confidence.features import BEST
from indexer.localization.position import locate
from model.common.geo import LatLon
from tests.indexer.candidates import CALIBRATION, METRE, candidates


def test_lone_tile_gives_its_centre_and_half_its_diagonal():
    position = locate(candidates((0, 0, 0.9)))
    assert position.centre == LatLon(0.0, 0.0)
    assert position.radius_m == pytest.approx(100 / 2**0.5)
    assert (position.confidence, position.confidence_radius_m) == (None, None)


def test_rival_far_away_with_a_close_score_widens_the_radius():
    near = locate(candidates((0, 0, 0.9), (200, 0, 0.89), (400, 0, 0.5)))
    far = locate(candidates((0, 0, 0.9), (100_000, 0, 0.89), (400, 0, 0.5)))
    assert near.radius_m < 300
    assert far.radius_m > 50_000


def test_rival_far_away_with_a_poor_score_hardly_counts():
    assert locate(candidates((0, 0, 0.9), (200, 0, 0.85), (100_000, 0, 0.1))).radius_m < 500


def test_a_rivals_weight_is_the_square_of_how_near_its_score_comes_to_the_best():
    position = locate(candidates((0, 0, 0.9), (10_000, 0, 0.7), (40_000, 0, 0.5)))  # weights 1, 1/4 and 0
    spread_m = 10_000 * math.sqrt(0.25 / 1.25)
    assert position.radius_m == pytest.approx(math.hypot(spread_m, 100 / math.sqrt(2)), rel=1e-4)


def test_equal_scores_count_alike():
    assert locate(candidates((0, 0, 0.5), (100_000, 0, 0.5))).radius_m == pytest.approx(100_000 / 2**0.5, rel=0.01)


def test_only_the_best_few_are_looked_at():
    few = [(200.0 * i, 0, 0.9 - 0.01 * i) for i in range(BEST)]
    assert locate(candidates(*few, (90_000, 0, 0.1))) == locate(candidates(*few))


def test_a_calibration_gives_place_radius_and_confidence():
    position = locate(candidates((0, 0, 0.5), (80, 0, 0.5)), CALIBRATION)
    assert position.centre.lon == pytest.approx(40 * METRE)
    assert position.radius_m == 25.0
    assert position.confidence == pytest.approx(0.5)  # 2 * 0.5 - 1 = 0
    assert position.confidence_radius_m == 100.0


def test_a_calibration_may_keep_the_best_tile():
    plain = replace(CALIBRATION, reading=replace(CALIBRATION.reading, fused=False))
    assert locate(candidates((0, 0, 0.5), (80, 0, 0.5)), plain).centre == LatLon(0.0, 0.0)
