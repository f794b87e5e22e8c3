from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.common.errors import BadConfig
from model.common.geo import LatLon, great_circle_many_m
from model.data.pairs import PairSet, Query, Reference
from model.evaluation.ground_truth import GroundTruth, RadiusIndex


def test_what_a_data_set_says_becomes_arrays():
    pairs = PairSet(
        "small",
        (Query(Path("d/panos/a.jpg"), location=LatLon(47.0, 8.5)), Query(Path("d/panos/b.jpg"))),
        tuple(Reference(Path(f"d/tiles/{n}.png"), LatLon(47.0, 8.0 + n)) for n in range(4)),
        np.array([2, 0]),
        ((1,), ()),
        ((), (3,)),
    )
    truth = GroundTruth.of(pairs)
    assert (truth.pictures, truth.tiles[3]) == (("panos/a.jpg", "panos/b.jpg"), "tiles/3.png")
    assert [rows.tolist() for rows in truth.positives] == [[2], [0, 3]]
    assert [rows.tolist() for rows in truth.semi_positives] == [[1], []]
    np.testing.assert_array_equal(truth.places, [[47.0, 8.5], [np.nan, np.nan]])
    assert truth.centres[:, 1].tolist() == [8.0, 9.0, 10.0, 11.0]
    assert truth.distractors.tolist() == [1]
    assert truth.positives_each == (1, 2)
    assert truth.places_m is None


@pytest.mark.parametrize("radius_m", [1.0, 60.0, 5e3, 1e6])
@pytest.mark.parametrize("middle", [(47.0, 8.5), (-89.99, 10.0), (10.0, 179.9999)])
def test_what_is_nearby_is_what_brute_force_finds(radius_m, middle):
    random = np.random.default_rng(0)
    spread = np.array([0.05, 0.05])
    centres = np.clip(middle + random.normal(size=(400, 2)) * spread, [-90, -180], [90, 180])
    nearby = RadiusIndex(truth_at(centres))
    for query, place in enumerate(centres[:20]):
        expected = np.flatnonzero(great_circle_many_m(*place, *centres.T) <= radius_m)
        assert nearby.rows(query, radius_m).tolist() == expected.tolist()


def test_nearby_goes_over_the_date_line():
    centres = np.array([[10.0, 179.9999], [10.0, -179.9999], [10.0, 0.0]])
    assert RadiusIndex(truth_at(centres)).rows(0, 100.0).tolist() == [0, 1]


def test_distances_are_those_of_the_plane_where_a_data_set_has_one():
    plane = np.array([[690_000.0, 6_090_000.0], [690_003.0, 6_090_004.0], [690_005.0, 6_090_000.5], [690_000.0, 0.0]])
    nearby = RadiusIndex(replace(truth_at(np.full((4, 2), np.nan)), places_m=plane, centres_m=plane))
    assert nearby.rows(0, 5.0).tolist() == [0, 1]  # the edge is inside
    assert nearby.rows(2, 5.1).tolist() == [0, 1, 2]


def test_a_place_that_is_not_known_is_told():
    centres = np.array([[10.0, 20.0], [np.nan, np.nan]])
    with pytest.raises(BadConfig, match="x lacks those of 1 of 2 queries"):
        RadiusIndex(truth_at(centres))


def truth_at(places):
    """Every reference lies where its query was taken."""
    names = tuple(map(str, range(len(places))))
    return GroundTruth("x", names, names, tuple(np.arange(len(places)).reshape(-1, 1)), (), places, places)
