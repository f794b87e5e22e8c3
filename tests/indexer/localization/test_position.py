"""Without a calibration the estimate lies at the best tile; with one it is what was fitted."""

import math
from dataclasses import replace

import pytest

from indexer.confidence.features import BEST
from indexer.localization.position import Position, locate
from model.common.geo import LatLon
from tests.indexer.candidates import CALIBRATION, METRE, candidates


def test_lone_tile_gives_its_centre_and_half_its_diagonal():
    position = locate(candidates((0, 0, 0.9)), "unknown")
    assert position.centre == LatLon(0.0, 0.0)
    assert position.radius_m == pytest.approx(100 / 2**0.5)
    assert (position.confidence, position.confidence_radius_m) == (None, None)
    assert position.no_confidence_because == "unknown"


def test_rival_far_away_with_a_close_score_widens_the_radius():
    near = locate(candidates((0, 0, 0.9), (200, 0, 0.89), (400, 0, 0.5)), "unknown")
    far = locate(candidates((0, 0, 0.9), (100_000, 0, 0.89), (400, 0, 0.5)), "unknown")
    assert near.radius_m < 300
    assert far.radius_m > 50_000


def test_rival_far_away_with_a_poor_score_hardly_counts():
    assert locate(candidates((0, 0, 0.9), (200, 0, 0.85), (100_000, 0, 0.1)), "unknown").radius_m < 500


def test_a_rivals_weight_is_the_square_of_how_near_its_score_comes_to_the_best():
    position = locate(candidates((0, 0, 0.9), (10_000, 0, 0.7), (40_000, 0, 0.5)), "unknown")  # weights 1, 1/4 and 0
    spread_m = 10_000 * math.sqrt(0.25 / 1.25)
    assert position.radius_m == pytest.approx(math.hypot(spread_m, 100 / math.sqrt(2)), rel=1e-4)


def test_equal_scores_count_alike():
    position = locate(candidates((0, 0, 0.5), (100_000, 0, 0.5)), "unknown")
    assert position.radius_m == pytest.approx(100_000 / 2**0.5, rel=0.01)


def test_only_the_best_few_are_looked_at():
    few = [(200.0 * i, 0, 0.9 - 0.01 * i) for i in range(BEST)]
    assert locate(candidates(*few, (90_000, 0, 0.1)), "unknown") == locate(candidates(*few), "unknown")


def test_a_calibration_gives_place_radius_and_confidence():
    position = locate(candidates((0, 0, 0.5), (80, 0, 0.5)), CALIBRATION)
    assert position.centre.lon == pytest.approx(40 * METRE)
    assert position.radius_m == 25.0
    assert position.confidence == pytest.approx(0.5)  # 2 * 0.5 - 1 = 0
    assert position.confidence_radius_m == 100.0
    assert position.no_confidence_because is None


def test_an_answer_begins_with_how_sure_it_is():
    asked = Position(LatLon(47.123456789, 8.987654321), 12.34, no_confidence_because="not calibrated").as_json()
    assert list(asked)[:3] == ["confidence", "confidence_radius_m", "no_confidence_because"]
    assert asked == {
        "confidence": None, "confidence_radius_m": None, "no_confidence_because": "not calibrated",
        "lat": 47.1234568, "lon": 8.9876543, "radius_m": 12.3,
    }  # fmt: skip


def test_a_calibration_may_keep_the_best_tile():
    plain = replace(CALIBRATION, reading=replace(CALIBRATION.reading, fused=False))
    assert locate(candidates((0, 0, 0.5), (80, 0, 0.5)), plain).centre == LatLon(0.0, 0.0)
