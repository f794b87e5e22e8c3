"""The area of a reference system, as PROJ's database has it."""

import pytest
from rasterio.crs import CRS

from indexer.tiles.sources.area_of_use import doubts_of_area
from model.common.geo import Bounds


def around(lat: float, lon: float) -> Bounds:
    return Bounds(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01)


@pytest.mark.parametrize(
    ("crs", "lat", "lon", "beyond"),
    [
        ("EPSG:2056", 46.9, 7.4, False),
        ("EPSG:2056", 36.0, -13.8, True),
        ("EPSG:32601", 60.0, -179.9, False),
        ("EPSG:32601", 60.0, 179.5, False),
        ("EPSG:32601", 60.0, 170.0, True),
        ("EPSG:32632", -30.0, 9.0, False),
        ("EPSG:4326", 80.0, 170.0, False),
        ("EPSG:3832", 0.0, -175.0, False),
        ("+proj=tmerc +lon_0=9 +ellps=GRS80", 0.0, -150.0, False),
    ],
)
def test_a_middle_beyond_the_area_is_told(crs: str, lat: float, lon: float, beyond: bool) -> None:
    assert bool(doubts_of_area(CRS.from_user_input(crs), around(lat, lon))) == beyond
