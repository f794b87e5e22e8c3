"""A painted district: buildings stand out of flat ground, and those that are gone at a time leave the streets."""

import numpy as np
import pytest

from model.synthetic.districts import district_map
from model.synthetic.ground import Material
from model.synthetic.painting import Paint, paint_district

SIDE = 200
ALL_THERE, ALL_GONE = (1.0, 1.0), (0.0, 1.0)


@pytest.fixture(scope="module")
def built_up():
    """A district of houses, the coordinates of a square of it with 2 m a pixel, and its distance to the border."""
    for seed in range(11, 40):
        districts, _, _ = district_map(seed, np.zeros(1), np.zeros(1))
        district = next((one for one in districts if one.style == "suburb"), None)
        if district is not None:
            break
    x, y = np.meshgrid(np.arange(SIDE) * 2.0 - SIDE, np.arange(SIDE) * 2.0 - SIDE)
    x, y = x.ravel() + district.centre_m[0], y.ravel() + district.centre_m[1]
    return district, x, y


def paint(built_up, *times, border_m=500.0):
    district, x, y = built_up
    return paint_district(district, x, y, np.full(len(x), border_m, np.float32), times)


def test_buildings_stand_out_of_flat_ground(built_up):
    (painted,) = paint(built_up, ALL_THERE)
    building = painted.material == Material.BUILDING
    assert 0.02 < building.mean() < 0.6
    assert (painted.height_m[building] > 2.0).all()
    flat = np.isin(painted.material, [Material.ROAD, Material.GARDEN, Material.WATER])
    assert flat.any()
    assert (painted.height_m[flat] == 0.0).all()


def test_walls_and_roofs_differ_and_flat_ground_is_of_one_colour(built_up):
    (painted,) = paint(built_up, ALL_THERE)
    building, road = (painted.material == one for one in (Material.BUILDING, Material.ROAD))
    assert (painted.top[building] != painted.side[building]).any(axis=1).mean() > 0.9
    assert (painted.top[road] == painted.side[road]).all()


def test_a_time_without_buildings_shows_the_same_streets(built_up):
    now, then = paint(built_up, ALL_THERE, ALL_GONE)
    assert (then.material == Material.BUILDING).sum() < (now.material == Material.BUILDING).sum() / 4
    assert ((now.material == Material.ROAD) == (then.material == Material.ROAD)).all()


def test_a_pixel_looks_the_same_whatever_is_painted_with_it(built_up):
    district, x, y = built_up
    (whole,) = paint(built_up, ALL_THERE)
    half = slice(0, len(x) // 2)
    border = np.full(len(x) // 2, 500.0, np.float32)
    (part,) = paint_district(district, x[half], y[half], border, [ALL_THERE])
    assert (part.material == whole.material[half]).all()
    assert np.array_equal(part.top, whole.top[half])


def test_a_copy_is_painted_on_independently():
    first = Paint.blank(3)
    second = first.copy()
    second.cover(np.array([True, False, False]), Material.ROAD, (10.0, 20.0, 30.0))
    assert first.top.sum() == 0.0
    assert second.top.tolist() == second.side.tolist() == [[10, 20, 30], [0, 0, 0], [0, 0, 0]]
    assert second.material.tolist() == [Material.ROAD, 0, 0]
