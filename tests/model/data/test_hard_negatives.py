import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from model.common.errors import BadDataset
from model.common.geo import EARTH_RADIUS_M, LatLon, great_circle_m
from model.data.hard_negatives import nearest_places, nearest_vectors
from model.data.pairs import PairSet, Query, Reference


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


CITIES = ("Chicago", "NewYork", "SanFrancisco", "Seattle")


def on_the_sphere_m(places):
    """Points [N, 3]: chords between them grow with great circles, and are found by other arithmetic than angles."""
    lat, lon = np.radians([(place.lat, place.lon) for place in places]).T
    return EARTH_RADIUS_M * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


@pytest.fixture(scope="module")
def real_tiles(shared_data):
    """The places of VIGOR's 90,618 tiles, and the number of each one's city."""
    places, cities = [], []
    for number, city in enumerate(CITIES):
        names = re.findall(r"satellite_([\d.]+)_(-[\d.]+)\.png", (shared_data / f"vigor_tiles/{city}.txt").read_text())
        places += [LatLon(float(lat), float(lon)) for lat, lon in names]
        cities += [number] * len(names)
    assert len(places) == 90_618
    return places, np.array(cities)


def test_the_64_neighbours_of_every_real_tile_are_those_of_brute_force(real_tiles):
    places, cities = real_tiles
    table, points = nearest_places(at(places), 64), on_the_sphere_m(places)
    assert table.shape == (90_618, 64)
    assert not (table == np.arange(90_618)[:, None]).any()
    assert (np.diff(np.sort(table, axis=1), axis=1) > 0).all()  # each one once
    chords_m = np.linalg.norm(points[table] - points[:, None], axis=2)
    assert (np.diff(chords_m, axis=1) > -1e-5).all()  # nearest first
    # Grids tie, so not rows are compared: whatever is nearer than the farthest found must be among the found.
    reach_m = chords_m.max(axis=1) - 1e-5
    found_within = (chords_m < reach_m[:, None]).sum(axis=1)
    assert chords_m.max() < 2_000  # and the next city is 1,000 km away, so each may be searched alone
    for city in range(len(CITIES)):
        rows = np.flatnonzero(cities == city)
        for part in np.array_split(rows, len(rows) // 256):
            within = (cdist(points[part], points[rows]) < reach_m[part, None]).sum(axis=1)
            assert np.array_equal(within - 1, found_within[part])  # less the tile itself


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
