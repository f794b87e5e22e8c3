from pathlib import Path

import numpy as np
import pytest

from model.data.pairs import PairSet, Query, Reference
from model.data.within import references_within
from model.errors import BadConfig, BadDataset
from model.geo import LatLon, great_circle_m


def pair_set(query_places, reference_places, **plane):
    queries = tuple(Query(Path("q"), location=place) for place in query_places)
    references = tuple(Reference(Path("r"), place) for place in reference_places)
    return PairSet("places", queries, references, np.zeros(len(queries), np.int64), **plane)


@pytest.mark.parametrize("centre", [LatLon(-35.3, 149.1), LatLon(78.2, 15.6), LatLon(0.0, 179.99999)])
def test_it_equals_brute_force_along_great_circles(centre):
    random = np.random.default_rng(1)
    lat, lon = centre.lat + random.normal(0, 2e-4, 80), centre.lon + random.normal(0, 2e-4, 80)
    places = [LatLon(a, (b + 180) % 360 - 180) for a, b in zip(lat, lon, strict=True)]
    found = references_within(pair_set(places[:20], places), 20.0)
    for query, rows in zip(places, found, strict=False):
        assert rows.tolist() == [row for row, place in enumerate(places) if great_circle_m(query, place) <= 20.0]
    assert sum(map(len, found)) > 40


def test_a_plane_of_the_data_set_comes_before_coordinates():
    far = [LatLon(0, 0), LatLon(80, 0)]
    plane = {"query_xy_m": np.array([[0.0, 0.0]]), "reference_xy_m": np.array([[3.0, 4.0], [5.0, 0.1]])}
    assert [rows.tolist() for rows in references_within(pair_set(far[:1], far, **plane), 5.0)] == [[0]]


def test_nothing_near_is_an_empty_list():
    found = references_within(pair_set([LatLon(0, 0)], [LatLon(1, 0)]), 5.0)
    assert [rows.tolist() for rows in found] == [[]]
    assert found[0].dtype == np.int64


def test_distances_need_coordinates_and_a_length():
    with pytest.raises(BadDataset, match="coordinates for 1 of 2 pictures"):
        references_within(pair_set([LatLon(0, 0)], [LatLon(0, 0), None]), 5.0)
    with pytest.raises(BadConfig, match=r"the radius is 0\.0 m"):
        references_within(pair_set([LatLon(0, 0)], [LatLon(0, 0)]), 0.0)
