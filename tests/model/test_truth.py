from pathlib import Path

import numpy as np
import pytest

from model.data.pairs import PairSet, Query, Reference
from model.geo import LatLon, great_circle_many_m
from model.truth import Nearby, Truth


def test_what_a_data_set_says_becomes_arrays():
    pairs = PairSet(
        "small",
        (Query(Path("d/panos/a.jpg"), location=LatLon(47.0, 8.5)), Query(Path("d/panos/b.jpg"))),
        tuple(Reference(Path(f"d/tiles/{n}.png"), LatLon(47.0, 8.0 + n)) for n in range(4)),
        np.array([2, 0]),
        ((1,), ()),
    )
    truth = Truth.of(pairs)
    assert (truth.pictures, truth.tiles[3]) == (("panos/a.jpg", "panos/b.jpg"), "tiles/3.png")
    assert [rows.tolist() for rows in truth.positives] == [[2], [0]]
    assert [rows.tolist() for rows in truth.semi_positives] == [[1], []]
    np.testing.assert_array_equal(truth.places, [[47.0, 8.5], [np.nan, np.nan]])
    assert truth.centres[:, 1].tolist() == [8.0, 9.0, 10.0, 11.0]
    assert truth.distractors.tolist() == [1, 3]
    assert truth.positives_each == (1, 1)


@pytest.mark.parametrize("radius_m", [1.0, 60.0, 5e3, 1e6])
@pytest.mark.parametrize("middle", [(47.0, 8.5), (-89.99, 10.0), (10.0, 179.9999)])
def test_what_is_nearby_is_what_brute_force_finds(radius_m, middle):
    random = np.random.default_rng(0)
    spread = np.array([0.05, 0.05])
    centres = np.clip(middle + random.normal(size=(400, 2)) * spread, [-90, -180], [90, 180])
    nearby = Nearby(centres)
    for place in centres[:20]:
        expected = np.flatnonzero(great_circle_many_m(*place, *centres.T) <= radius_m)
        assert nearby.rows(place, radius_m).tolist() == expected.tolist()


def test_nearby_goes_over_the_date_line():
    centres = np.array([[10.0, 179.9999], [10.0, -179.9999], [10.0, 0.0]])
    assert Nearby(centres).rows(centres[0], 100.0).tolist() == [0, 1]
