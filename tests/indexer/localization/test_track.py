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


def test_sequence_without_any_match_or_with_wrong_reaches_is_refused():
    with pytest.raises(BadQuery, match="no photo"):
        find_track([None, None], reach_m=[10], tile_m=50)
    with pytest.raises(BadQuery, match="reaches"):
        find_track([seen((0, 0.5))], reach_m=[10], tile_m=50)
