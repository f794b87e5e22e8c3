import mercantile
import pytest

from model.common.errors import BadConfig
from model.common.geo import LatLon
from model.synthetic.plane import ORIGIN
from model.synthetic.specs import ZOOM, Region


def test_the_centre_lies_in_the_middle_tile():
    region = Region(side=5)
    x, y = region.corner()
    middle = mercantile.tile(ORIGIN.lon, ORIGIN.lat, ZOOM)
    assert (x + 2, y + 2) == (middle.x, middle.y)
    assert (region.tiles, Region(panoramas=3, calibration=4).wanted) == (25, 7)


def test_nothing_synthetic_covers_a_real_place():
    with pytest.raises(BadConfig, match="stay within 20 km"):
        Region(centre=LatLon(47.4, 8.5))


@pytest.mark.parametrize("wrong", [{"side": 0}, {"side": 513}, {"panoramas": -1}, {"seed": -1}])
def test_a_region_that_cannot_be_is_refused_by_its_option(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        Region(**wrong)
