"""The estimate lies at the best tile; its radius grows with the tile and with near rivals."""

import pytest

from model.geo import Bounds, LatLon
from service.estimate import RIVALS, Candidate, fuse


def tile(east_deg: float, score: float) -> Candidate:
    return Candidate(LatLon(0.0, east_deg), Bounds(east_deg - 0.001, -0.001, east_deg + 0.001, 0.001), score)


def test_lone_tile_gives_its_centre_and_half_its_diagonal():
    position = fuse([tile(0.0, 0.9)])
    assert position.centre == LatLon(0.0, 0.0)
    assert position.radius_m == pytest.approx(157.3, abs=0.1)
    assert position.confidence is None


def test_rival_far_away_with_a_close_score_widens_the_radius():
    near = fuse([tile(0.0, 0.9), tile(0.002, 0.89), tile(0.004, 0.5)])
    far = fuse([tile(0.0, 0.9), tile(1.0, 0.89), tile(0.004, 0.5)])
    assert near.radius_m < 300
    assert far.radius_m > 50_000


def test_rival_far_away_with_a_poor_score_hardly_counts():
    assert fuse([tile(0.0, 0.9), tile(0.002, 0.85), tile(1.0, 0.1)]).radius_m < 500


def test_equal_scores_count_alike():
    assert fuse([tile(0.0, 0.5), tile(1.0, 0.5)]).radius_m == pytest.approx(111_195 / 2**0.5, rel=0.01)


def test_only_the_best_few_are_looked_at():
    few = [tile(0.002 * i, 0.9 - 0.01 * i) for i in range(RIVALS)]
    assert fuse([*few, tile(90.0, 0.1)]) == fuse(few)
