from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.data.neighbours import nearest_places, nearest_vectors
from model.data.pairs import PairSet, Query, Reference
from model.errors import BadDataset
from model.geo import LatLon, great_circle_m


def at(places):
    queries = tuple(Query(Path(f"pano{number}"), location=place) for number, place in enumerate(places))
    tiles = tuple(Reference(Path(f"tile{number}")) for number in range(len(places)))
    return PairSet("mine", queries, tiles, np.arange(len(places)))


def scattered(lat, lon, spread, count=60):
    random = np.random.default_rng(0)
    offsets = random.uniform(-spread, spread, (count, 2))
    return [LatLon(lat + north, (lon + east + 180.0) % 360.0 - 180.0) for north, east in offsets]


@pytest.mark.parametrize(
    "places",
    [scattered(47, 8, 0.01), scattered(84, 20, 5), scattered(-16, 180, 0.5), scattered(0, 0, 80)],
    ids=["town", "near the pole", "across the antimeridian", "everywhere"],
)
def test_neighbours_are_those_of_the_great_circle(places):
    for row, found in enumerate(nearest_places(at(places), 8)):
        distances = [great_circle_m(places[row], place) for place in places]
        expected = sorted((other for other in range(len(places)) if other != row), key=distances.__getitem__)[:8]
        assert found.tolist() == expected


def test_a_query_without_a_location_stands_where_its_tile_does():
    places = scattered(47, 8, 0.01)
    pairs = at(places)
    tiles = tuple(replace(tile, location=place) for tile, place in zip(pairs.references, places, strict=True))
    queries = tuple(replace(query, location=None) for query in pairs.queries)
    assert np.array_equal(
        nearest_places(replace(pairs, queries=queries, references=tiles), 5), nearest_places(pairs, 5)
    )
    with pytest.raises(BadDataset, match="does not say where pano0 was taken"):
        nearest_places(replace(pairs, queries=queries), 5)


def test_many_pairs_at_one_spot_are_each_others_neighbours_but_never_their_own():
    table = nearest_places(at([LatLon(47, 8)] * 10), 4)
    assert table.shape == (10, 4)
    assert not (table == np.arange(10)[:, None]).any()


def test_similar_tiles_come_in_order_of_their_scores_and_without_the_querys_own():
    random = np.random.default_rng(0)
    ground, tiles = (random.standard_normal((1500, 8)).astype(np.float32) for _ in range(2))  # more than one block
    scores = ground @ tiles.T
    np.fill_diagonal(scores, -np.inf)
    assert np.array_equal(nearest_vectors(ground, tiles, 5), np.argsort(-scores, axis=1)[:, :5])


def test_fewer_pairs_than_are_asked_for_give_all_the_others():
    assert nearest_places(at(scattered(47, 8, 1, count=4)), 64).shape == (4, 3)
    assert nearest_vectors(np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32), 64).shape == (4, 3)
