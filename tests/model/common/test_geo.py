import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.common.errors import BadCoordinates
from model.common.geo import (
    EARTH_RADIUS_M,
    Bounds,
    LatLon,
    great_circle_m,
    great_circle_many_m,
    normal_heading,
    normal_lon,
    offset_m,
    parse_bounds,
    parse_given_heading,
    parse_lat_lon,
)

LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)


@pytest.mark.parametrize(("lat", "lon"), [(90.1, 0), (-91, 0), (math.nan, 0), (0, 180.5), (0, math.inf), (0, math.nan)])
def test_impossible_coordinates_are_refused_with_their_value(lat, lon):
    with pytest.raises(BadCoordinates, match=r"is not in \["):
        LatLon(lat, lon)


def test_south_above_north_is_refused():
    with pytest.raises(BadCoordinates, match="lies north of"):
        Bounds(0, 2, 1, 1)


def test_a_quarter_of_the_equator_is_a_quarter_of_the_circumference():
    assert great_circle_m(LatLon(0, 0), LatLon(0, 90)) == pytest.approx(EARTH_RADIUS_M * math.pi / 2)


def test_distance_across_the_antimeridian_is_short():
    assert great_circle_m(LatLon(0, 179.999), LatLon(0, -179.999)) == pytest.approx(222.39, abs=0.01)


@given(LATS, LONS, LATS, LONS)
def test_distance_agrees_with_the_angle_between_vectors(lat_a, lon_a, lat_b, lon_b):
    def vector(lat, lon):
        phi, lam = math.radians(lat), math.radians(lon)
        return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)

    a, b = vector(lat_a, lon_a), vector(lat_b, lon_b)
    chord = math.dist(a, b)
    expected = 2 * math.asin(min(1.0, chord / 2)) * EARTH_RADIUS_M
    assert great_circle_m(LatLon(lat_a, lon_a), LatLon(lat_b, lon_b)) == pytest.approx(expected, abs=0.5)


def test_bounds_over_the_antimeridian_hold_both_sides_and_have_their_centre_between():
    box = Bounds(west=179.0, south=-1.0, east=-179.0, north=1.0)
    assert box.contains(LatLon(0, 179.5))
    assert box.contains(LatLon(0, -179.5))
    assert not box.contains(LatLon(0, 0))
    assert abs(box.centre.lon) == pytest.approx(180.0)


@pytest.mark.parametrize("box", [Bounds(8.0, 47.0, 9.0, 48.0), Bounds(179.0, -1.0, -179.0, 1.0)])
def test_bounds_hold_their_edges_and_nothing_beyond_them(box):
    centre = box.centre
    for edge, outwards in ((box.west, -1e-9), (box.east, 1e-9)):
        assert box.contains(LatLon(centre.lat, edge))
        assert not box.contains(LatLon(centre.lat, edge + outwards))
    for edge, outwards in ((box.south, -1e-9), (box.north, 1e-9)):
        assert box.contains(LatLon(edge, centre.lon))
        assert not box.contains(LatLon(edge + outwards, centre.lon))


def test_the_ends_of_the_world_are_coordinates_and_a_box_may_be_a_line():
    for lat, lon in ((-90, -180), (90, 180)):
        assert LatLon(lat, lon) == LatLon(float(lat), float(lon))
    assert Bounds(8.0, 47.0, 8.0, 47.0).centre == LatLon(47.0, 8.0)


@pytest.mark.parametrize(("lat", "lon"), [(-90.5, 0), (90.5, 0), (0, -180.5), (0, 180.5)])
def test_half_a_degree_beyond_the_ends_is_refused(lat, lon):
    with pytest.raises(BadCoordinates, match=r"is not in \["):
        LatLon(lat, lon)


def test_the_distance_between_antipodes_is_half_the_circumference_though_rounding_passes_one():
    lats = np.linspace(-90, 90, 2001)
    lons = np.linspace(-180, 0, 2001)[:, np.newaxis]
    distances_m = great_circle_many_m(lats, lons, -lats, lons + 180)
    np.testing.assert_allclose(distances_m, EARTH_RADIUS_M * math.pi, rtol=1e-7)


def test_offset_moves_east_and_north():
    moved = offset_m(LatLon(60.0, 179.999), east_m=200.0, north_m=100.0)
    assert moved.lat == pytest.approx(60.0 + math.degrees(100.0 / EARTH_RADIUS_M))
    assert moved.lon == pytest.approx(-180.001 + math.degrees(200.0 / EARTH_RADIUS_M) / 0.5)


@given(st.floats(-80, 80), LONS, st.floats(-500, 500), st.floats(-500, 500))
def test_offset_moves_by_the_metres_asked_for(lat, lon, east_m, north_m):
    origin = LatLon(lat, lon)
    moved = offset_m(origin, east_m=east_m, north_m=north_m)
    assert great_circle_m(origin, moved) == pytest.approx(math.hypot(east_m, north_m), rel=2e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("lon", "expected"),
    [(190, -170), (-190, 170), (180, 180), (-180, -180), (180.5, -179.5), (-180.5, 179.5), (-540, -180)],
)
def test_longitudes_are_brought_back_into_range(lon, expected):
    assert normal_lon(lon) == pytest.approx(expected)


@given(LONS)
def test_a_longitude_in_range_stays_the_same_to_the_bit(lon):
    assert normal_lon(lon) == lon


def test_coordinates_are_read_in_the_order_that_is_documented():
    assert parse_lat_lon("-48.9,-123.4") == LatLon(-48.9, -123.4)
    assert parse_bounds("8,47,9,48") == Bounds(west=8, south=47, east=9, north=48)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "91,0", "nan,0", "4_7,8"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(BadCoordinates):
        parse_lat_lon(text)


def test_a_heading_is_degrees_or_unknown():
    assert parse_given_heading("-87.5") == -87.5
    assert parse_given_heading("unknown") == "unknown"
    with pytest.raises(BadCoordinates, match="'north' is neither degrees clockwise from north nor 'unknown'"):
        parse_given_heading("north")
    with pytest.raises(BadCoordinates, match="'1_0' is neither"):
        parse_given_heading("1_0")


@pytest.mark.parametrize(
    ("heading_deg", "expected"),
    [(0, 0.0), (-0.0, 0.0), (360.0, 0.0), (-360.0, 0.0), (-90, 270.0), (-1e-300, 0.0), (359.9, 359.9)],
)
def test_headings_of_one_turn_either_way_come_out_as_one_turn(heading_deg, expected):
    assert str(normal_heading(heading_deg)) == str(expected)


@pytest.mark.parametrize("heading_deg", [361.0, -360.1, 4294967206.0, 1e300, math.nan, math.inf])
def test_other_headings_are_refused(heading_deg):
    with pytest.raises(BadCoordinates, match="heading"):
        normal_heading(heading_deg)


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_lat_lon, "1,2,3", "'1,2,3' is not lat,lon (for example 47.1,8.5), in degrees"),
        (
            parse_bounds,
            "1,2",
            "'1,2' is not west,south,east,north (for example 8.4,47.0,8.6,47.2), in degrees",
        ),
        (
            parse_bounds,
            "8.51,47,8.5,48",
            "west 8.51 lies east of east 8.5: over the antimeridian the box would be 359.99 degrees wide; "
            "are west and east exchanged?",
        ),
        (
            parse_bounds,
            "90.5,0,-89,1",
            "west 90.5 lies east of east -89.0: over the antimeridian the box would be 180.50 degrees wide; "
            "are west and east exchanged?",
        ),
    ],
)
def test_what_is_wrong_with_a_text_is_said_whole(parse, text, message):
    with pytest.raises(BadCoordinates) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["90,0,-90,1", "179,-1,-179,1"])
def test_a_box_over_the_antimeridian_may_be_half_the_world_wide(text):
    assert parse_bounds(text).crosses_antimeridian


@pytest.mark.parametrize(
    ("lon", "expected"), [(-180.0, -180.0), (180.0, 180.0), (190.0, -170.0), (-190.0, 170.0), (540.5, -179.5)]
)
def test_longitudes_beyond_the_edge_come_back_on_the_other_side(lon, expected):
    assert normal_lon(lon) == expected


@pytest.mark.parametrize(
    ("lat", "lon", "asked"),
    [
        (123.4, -48.9, True),
        (-180.0, 90.0, True),
        (91.0, 90.5, False),
        (91.0, 100.0, False),
        (180.5, 10.0, False),
        (200.0, 10.0, False),
    ],
)
def test_a_latitude_that_can_only_be_a_longitude_makes_ask_whether_they_are_swapped(lat, lon, asked):
    with pytest.raises(BadCoordinates, match=r"is not in \[-90, 90\]") as caught:
        parse_lat_lon(f"{lat},{lon}")
    assert str(caught.value).endswith("(lat, lon) in degrees; are the two swapped?" if asked else " in degrees")
