"""The way through the matches: against trying all ways, and where a plain best match fails."""

from itertools import product

import numpy as np
import pytest

from indexer.common.errors import BadQuery
from indexer.localization import track
from indexer.localization.track import Candidates, find_track
from model.common.geo import LatLon, great_circle_m, offset_m

START = LatLon(47.0, 8.0)


def at(east_m: float, north_m: float = 0.0) -> LatLon:
    return offset_m(START, east_m=east_m, north_m=north_m)


def seen(*matches: tuple[float, float]) -> Candidates:
    """(metres east, score) of each match."""
    return Candidates(tuple(at(east) for east, _ in matches), tuple(score for _, score in matches))


def test_a_better_score_far_away_does_not_tear_the_way_apart():
    photos = [seen((0, 0.5)), seen((9000, 0.55), (50, 0.5)), seen((100, 0.5))]
    points = find_track(photos, reach_m=[60, 60], tile_m=50)
    assert [point.match for point in points] == [0, 1, 0]


def test_useless_photo_is_left_out_and_lies_between_its_neighbours():
    photos = [seen((0, 0.5)), seen((9000, 0.3), (-7000, 0.3)), seen((100, 0.5))]
    points = find_track(photos, reach_m=[60, 60], tile_m=50)
    assert [point.match for point in points] == [0, None, 0]
    assert great_circle_m(points[1].place, at(50)) < 1


def test_photos_without_matches_at_the_ends_lie_where_the_way_begins_and_ends():
    points = find_track([None, seen((0, 0.5)), seen((40, 0.5)), None], reach_m=[60] * 3, tile_m=50)
    assert [point.match for point in points] == [None, 0, 0, None]
    assert (points[0].place, points[3].place) == (points[1].place, points[2].place)


def test_way_over_the_antimeridian_is_short():
    photos = [Candidates((LatLon(0.0, 179.9999),), (0.5,)), None, Candidates((LatLon(0.0, -179.9999),), (0.5,))]
    middle = find_track(photos, reach_m=[60, 60], tile_m=50)[1].place
    assert abs(abs(middle.lon) - 180.0) < 1e-3


@pytest.mark.parametrize("seed", range(20))
def test_the_way_found_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    photos = [seen(*zip(random.uniform(0, 300, 3), random.uniform(0.3, 0.6, 3), strict=True)) for _ in range(4)]
    reach_m = list(random.uniform(10, 80, 3))
    points = find_track(photos, reach_m=reach_m, tile_m=40)
    found = rating([point.match for point in points], photos, reach_m)
    ways = product([None, 0, 1, 2], repeat=4)
    assert found == pytest.approx(max(rating(way, photos, reach_m) for way in ways if any(m is not None for m in way)))


def rating(way, photos, reach_m) -> float:
    total, last = 0.0, None
    for number, match in enumerate(way):
        if match is None:
            total -= track._LEFT_OUT
            continue
        scores = np.array(photos[number].scores) / track._SHARPNESS
        total += scores[match] - np.log(np.exp(scores).sum())
        if last is not None:
            moved = great_circle_m(photos[last].places[way[last]], photos[number].places[match])
            beyond = max(0.0, moved - sum(reach_m[last:number]))
            total -= min(track._TOO_FAR, (beyond / 40) ** 2)
        last = number
    return total


@pytest.mark.parametrize(("strangers", "taken"), [(1, False), (3, False), (4, True), (6, True)])
def test_few_photos_out_of_reach_are_left_out_and_many_are_jumped_to_with_the_distance_said(strangers, taken):
    near = [seen((20 * number, 0.5)) for number in range(8)]
    far = [seen((9000 + 20 * number, 0.5)) for number in range(strangers)]
    points = find_track(near + far, reach_m=[30] * (7 + strangers), tile_m=50)
    assert [point.match for point in points[:8]] == [0] * 8
    assert [point.beyond_m for point in points[:8]] == [0.0] * 8
    assert {point.match for point in points[8:]} == {0 if taken else None}
    if taken:
        assert points[8].beyond_m == pytest.approx(9000 - 7 * 20 - 30, abs=1)
        assert [point.beyond_m for point in points[9:]] == [0.0] * (strangers - 1)
    else:
        assert {point.beyond_m for point in points[8:]} == {None}


@pytest.mark.parametrize(("strangers", "taken"), [(6, False), (7, True)])
def test_in_the_middle_of_a_way_a_jump_is_paid_for_twice(strangers, taken):
    near, far = [seen((0, 0.5))] * 9, [seen((9000, 0.5))] * strangers
    points = find_track(near + far + near, reach_m=[30] * (17 + strangers), tile_m=50)
    assert {point.match for point in points[9 : 9 + strangers]} == {0 if taken else None}
    assert {point.match for point in points[:9] + points[9 + strangers :]} == {0}


@pytest.mark.parametrize(("east_m", "beyond_m"), [(60, 0.0), (100, 40.0), (150, 90.0)])
def test_a_move_within_a_tile_or_two_of_the_limit_is_taken_and_measured(east_m, beyond_m):
    points = find_track([seen((0, 0.5)), seen((east_m, 0.5))], reach_m=[60], tile_m=50)
    assert [point.match for point in points] == [0, 0]
    assert points[1].beyond_m == pytest.approx(beyond_m, abs=0.5)


def test_what_a_photo_left_out_adds_to_the_reach_counts():
    points = find_track([seen((0, 0.5)), None, seen((110, 0.5))], reach_m=[50, 50], tile_m=50)
    assert [point.beyond_m for point in points] == [0.0, None, pytest.approx(10, abs=0.5)]


def test_sequence_without_any_match_or_with_wrong_reaches_is_refused():
    with pytest.raises(BadQuery, match="no photo"):
        find_track([None, None], reach_m=[10], tile_m=50)
    with pytest.raises(BadQuery, match="reaches"):
        find_track([seen((0, 0.5))], reach_m=[10], tile_m=50)
