import pytest

from model.common.errors import BadDataset
from model.common.geo import Bounds, LatLon
from model.data.benchmarks.coordinates import offset_px, parse_place

SEATTLE = Bounds(-122.7, 47.3, -121.9, 47.9)


def test_decimal_degrees_inside_the_area_are_a_place():
    assert parse_place("47.5", " -122.25", SEATTLE, "here") == LatLon(47.5, -122.25)


@pytest.mark.parametrize(
    ("lat", "lon", "reason"),
    [
        ("-122.25", "47.5", r"here: -122\.25, 47\.5 is longitude, latitude; give latitude, longitude"),
        ("4730.0", "-12215.0", r"here: 4730\.0, -12215\.0 is in degrees and minutes \(DDMM\.mmm\)"),
        ("47.5", "122.25", "lies outside the data set's area"),
        ("47:30", "-122:15", "here: the coordinates '47:30', '-122:15' are not two numbers of decimal degrees"),
        ("", "-122.25", "are not two numbers"),
        ("inf", "-122.25", "are not two numbers"),
    ],
)
def test_a_wrong_place_names_the_mistake(lat, lon, reason):
    with pytest.raises(BadDataset, match=reason):
        parse_place(lat, lon, SEATTLE, "here")


def test_an_offset_counts_pixels_to_the_right_and_down():
    centre = LatLon(60.0, 10.0)
    degree_px = 256 * 2**20 / 360
    assert offset_px(LatLon(60.0, 10.001), centre, 20) == pytest.approx((degree_px * 1e-3, 0))
    assert offset_px(LatLon(59.9999, 10.0), centre, 20) == pytest.approx((0, degree_px * 2e-4))
