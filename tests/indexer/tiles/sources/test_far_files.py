"""Files of a mosaic that lie far from all others are named with their distance; neighbours and one file are not."""

from types import SimpleNamespace
from typing import Any

import pytest
import rasterio

from indexer.tiles.sources.far_files import far_files
from model.common.geo import Bounds, LatLon, great_circle_m

SIDE_DEG = 0.01


def files(*places: tuple[float, float], crs: str = "EPSG:3857", side_deg: float = SIDE_DEG) -> list[Any]:
    """Squares around places (latitude, longitude)."""
    half, place = side_deg / 2, SimpleNamespace(crs=rasterio.crs.CRS.from_string(crs))
    return [
        SimpleNamespace(name=f"{row}.tif", bounds=Bounds(lon - half, lat - half, lon + half, lat + half), place=place)
        for row, (lat, lon) in enumerate(places)
    ]


@pytest.mark.parametrize(
    "places",
    [
        [],
        [(47.0, 8.5)],
        [(47.0, 8.5), (47.01, 8.5), (47.0, 8.51)],
        [(47.0, 8.5), (55.9, 8.5)],  # 990 km
        [(47.0, 8.5 + 10 * step) for step in range(12)],  # a chain around the Earth's third
        [(-17.0, 179.9), (-17.0, -179.9)],
    ],
)
def test_neighbours_are_not_remarked_on(places: list[tuple[float, float]]) -> None:
    assert far_files(files(*places)) == []


def test_wide_files_side_by_side_are_neighbours() -> None:
    assert far_files(files((0.0, -60.0), (0.0, 60.0), side_deg=120.0)) == []
    whole = SimpleNamespace(name="w.tif", bounds=Bounds(-180.0, -85.0, 180.0, 85.0), place=None)
    assert far_files([whole, *files((47.0, 8.5), (-47.0, -171.5))]) == []


def test_the_one_that_lies_elsewhere_is_named_with_its_distance() -> None:
    (remark,) = far_files(files((47.0, 8.5), (-33.0, 151.0), (47.01, 8.5), (47.02, 8.51)))
    apart_km = round(great_circle_m(LatLon(-33.0, 151.0), LatLon(47.0, 8.5)) / 1000)
    named = remark.removeprefix("warning: 1.tif lies ").partition(" km from the nearest of the other files, ")
    assert abs(int(named[0].replace(",", "")) - apart_km) <= 20
    assert named[2].startswith(("0.tif.", "2.tif.", "3.tif."))
    assert "UTM" not in remark


def test_of_several_the_farthest_is_named() -> None:
    (remark,) = far_files(files((47.0, 8.5), (47.0, 8.51), (47.0, 8.52), (35.0, 25.0), (-33.0, 151.0), (-33.0, 151.01)))
    assert remark.startswith("warning: 5.tif, like 2 more, lies 16,")


def test_two_thousand_files_are_compared_in_blocks() -> None:
    many = files(*((47.0 + row // 50 / 100, 8.0 + row % 50 / 100) for row in range(2000)), (0.0, 8.0))
    (remark,) = far_files(many)
    assert remark.startswith("warning: 2000.tif lies 5,22")


@pytest.mark.parametrize(
    ("crs", "place", "half"),
    [("EPSG:32732", (-42.8, 8.54), "northern"), ("EPSG:32632", (47.38, 8.54), ""), ("EPSG:2056", (-42.8, 8.5), "")],
)
def test_the_half_of_a_utm_zone_in_which_it_would_lie_right_is_named(
    crs: str, place: tuple[float, float], half: str
) -> None:
    (remark,) = far_files(files((47.3, 8.5), (47.3, 8.51)) + files(place if half else (-42.8, 8.5), crs=crs)[:1])
    assert (f"In the {half} half of its UTM zone it would lie beside it" in remark) == bool(half)
