"""A region is a square of tiles around a point of the world, and may not be asked for where something real lies."""

import mercantile
import pytest

from model.common.errors import BadConfig
from model.common.geo import LatLon, offset_m
from model.synthetic.plane import ORIGIN
from model.synthetic.specs import ZOOM, Region


@pytest.mark.parametrize("side", [1, 2, 5])
def test_the_centre_lies_in_the_middle_tile(side):
    centre = offset_m(ORIGIN, east_m=900.0, north_m=-700.0)
    left, top = Region(centre=centre, side=side).corner()
    middle = mercantile.tile(centre.lon, centre.lat, ZOOM)
    assert (middle.x, middle.y) == (left + side // 2, top + side // 2)


def test_counts_are_those_asked_for():
    region = Region(side=4, panoramas=3, calibration=2)
    assert (region.tiles, region.wanted) == (16, 5)


def test_nothing_synthetic_covers_a_real_place():
    with pytest.raises(BadConfig, match=r"lies far from the world's place .* stay within 20 km"):
        Region(centre=LatLon(47.37, 8.54))


@pytest.mark.parametrize(("values", "reason"), [({"side": 0}, "1 to 512 tiles"), ({"panoramas": -1}, "panoramas")])
def test_what_cannot_be_meant_is_refused(values, reason):
    with pytest.raises(BadConfig, match=reason):
        Region(**values)
