import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.common.errors import BadQuery
from indexer.tiles.region import BoxRegion, CircleRegion, RecentImagery, Region
from model.common.geo import Bounds, LatLon, great_circle_many_m, normal_lon

lats = st.floats(-90, 90)
lons = st.floats(-180, 180)


@st.composite
def boxes(draw: st.DrawFn, largest_deg: float = 180.0) -> Bounds:
    south = draw(st.floats(-90, 89.9))
    north = min(90.0, south + draw(st.floats(1e-6, largest_deg)))
    west = draw(lons)
    east = west + draw(st.floats(1e-6, largest_deg))
    return Bounds(west, south, east - 360 if east > 180 else east, north)


def sampled(bounds: Bounds, steps: int = 60) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(lat, lon) of a lattice of points of a box, edges included."""
    width = (bounds.east - bounds.west) % 360
    lat, lon = np.meshgrid(np.linspace(bounds.south, bounds.north, steps), bounds.west + np.linspace(0, width, steps))
    return lat.ravel(), lon.ravel()


@given(centre=st.builds(LatLon, lats, lons), box=boxes(), radius_m=st.floats(1.0, 2e7))
@settings(max_examples=200, deadline=None)
def test_a_circle_touches_a_box_exactly_when_the_boxs_nearest_point_is_near(
    centre: LatLon, box: Bounds, radius_m: float
) -> None:
    lat, lon = sampled(box)
    nearest_m = great_circle_many_m(centre.lat, centre.lon, lat, lon).min()
    spacing_m = 111_195 * max((box.east - box.west) % 360, box.north - box.south) / 59
    touches = bool(CircleRegion(centre, radius_m).mask(*box.as_tuple()))
    if nearest_m <= radius_m * (1 - 1e-9):
        assert touches
    elif nearest_m > radius_m + spacing_m:
        assert not touches


@pytest.mark.parametrize("lon", [0.0, 30.0, 110.0])
def test_the_nearest_point_on_a_meridian_edge_is_found_to_the_millimetre(lon: float) -> None:
    centre, box = LatLon(70.0, lon), Bounds(normal_lon(lon + 60.0), 60.0, normal_lon(lon + 80.0), 89.0)
    lat = np.linspace(60.0, 89.0, 2_000_001)
    nearest_m = float(great_circle_many_m(70.0, 0.0, lat, 60.0).min())
    assert CircleRegion(centre, nearest_m + 1e-3).mask(*box.as_tuple())
    assert not CircleRegion(centre, nearest_m - 1e-3).mask(*box.as_tuple())


def test_a_circle_over_the_pole_reaches_the_other_side() -> None:
    region = CircleRegion(LatLon(89.0, 0.0), 300_000.0)
    assert region.mask(179.0, 88.5, -179.0, 88.9)
    assert not region.mask(179.0, 87.0, -179.0, 88.0)


def test_a_circle_that_reaches_past_the_far_pole_meets_a_box_at_its_end_there() -> None:
    """Along the meridian behind, the end that is nearer is the one away from where the circle comes over the top."""
    box, nearest_deg = (170.0, -89.0, -170.0, -70.0), 151.0
    for off_deg, touches in ((0.1, True), (-0.1, False)):
        radius_m = np.radians(nearest_deg + off_deg) * 6_371_008.8
        assert bool(CircleRegion(LatLon(60.0, 0.0), radius_m).mask(*box)) == touches
        assert bool(CircleRegion(LatLon(-60.0, 0.0), radius_m).mask(box[0], 70.0, box[2], 89.0)) == touches


def test_a_circle_reaches_over_the_antimeridian() -> None:
    region = CircleRegion(LatLon(0.0, 179.999), 500.0)
    mask = region.mask([-180.0, -179.99, 179.99], [-0.1] * 3, [-179.999, -179.98, 180.0], [0.1] * 3)
    assert mask.tolist() == [True, False, True]


@given(region=boxes(), box=boxes())
@settings(max_examples=200, deadline=None)
def test_boxes_touch_exactly_when_their_parts_overlap(region: Bounds, box: Bounds) -> None:
    def parts(bounds: Bounds) -> list[tuple[float, float]]:
        west, _, east, _ = bounds.as_tuple()
        return [(west, 180.0), (-180.0, east)] if west > east else [(west, east)]

    beside = any(a[0] <= b[1] and b[0] <= a[1] for a in parts(region) for b in parts(box))
    level = region.south <= box.north and box.south <= region.north
    pole = (region.north == box.north == 90.0) or (region.south == box.south == -90.0)
    apart = [abs(edge - other) for edge in (region.west, region.east) for other in (box.west, box.east)]
    gap = min(min(each, 360.0 - each) for each in apart)
    if gap > 1e-9:  # touching to within rounding may go either way
        assert bool(BoxRegion(region).mask(*box.as_tuple())) == ((beside or pole) and level)


def test_the_whole_world_touches_everything() -> None:
    world = BoxRegion(Bounds(-180.0, -90.0, 180.0, 90.0))
    assert world.mask([-180.0, 0.0, 179.0], [-90.0, 0.0, 80.0], [-179.0, 1.0, -179.0], [-80.0, 1.0, 90.0]).all()


def test_a_shared_edge_touches() -> None:
    region = BoxRegion(Bounds(8.0, 47.0, 9.0, 48.0))
    assert region.mask([9.0, 7.0, 8.2], [47.0, 46.0, 48.0], [10.0, 8.0, 8.4], [48.0, 47.0, 49.0]).all()


def test_a_circle_touches_what_is_exactly_its_radius_away() -> None:
    radius_m = float(great_circle_many_m(46.0, 8.5, 47.0, 8.5))
    assert CircleRegion(LatLon(46.0, 8.5), radius_m).mask(8.0, 47.0, 9.0, 48.0)
    assert not CircleRegion(LatLon(46.0, 8.5), np.nextafter(radius_m, 0.0)).mask(8.0, 47.0, 9.0, 48.0)


def test_a_box_almost_around_the_world_ends_where_it_says() -> None:
    """From 10 degrees eastwards to 5: all but the five degrees between."""
    almost = Bounds(10.0, 40.0, 5.0, 50.0)
    for west, east, touches in ((5.0, 6.0, True), (5.5, 9.5, False), (9.5, 10.0, True), (4.5, 4.6, True)):
        assert bool(BoxRegion(almost).mask(west, 45.0, east, 46.0)) == touches
        assert bool(BoxRegion(Bounds(west, 45.0, east, 46.0)).mask(*almost.as_tuple())) == touches
    assert CircleRegion(LatLon(45.0, 4.5), 1.0).mask(*almost.as_tuple())
    assert not CircleRegion(LatLon(45.0, 5.5), 1_000.0).mask(*almost.as_tuple())


def test_a_tile_across_the_antimeridian_is_as_wide_as_its_edges_say() -> None:
    region = BoxRegion(Bounds(-178.5, 0.0, -178.0, 1.0))
    assert region.mask([179.0, 179.0], [0.0, 0.0], [-179.0, -178.5], [1.0, 1.0]).tolist() == [False, True]


def test_a_tile_without_extent_lies_in_one_place_and_not_all_around() -> None:
    west = np.array([8.5, 20.0])
    for region in (BoxRegion(Bounds(8.0, 47.0, 9.0, 48.0)), CircleRegion(LatLon(47.5, 8.5), 1_000.0)):
        assert region.mask(west, [47.5, 47.5], west, [47.5, 47.5]).tolist() == [True, False]


def test_edges_of_less_precision_are_read_as_they_stand() -> None:
    """Half a degree is exact in float32, but a millionth more would be lost in its arithmetic."""
    tile = [np.array([edge], np.float32) for edge in (8.0, 47.0, 8.5, 48.0)]
    assert not BoxRegion(Bounds(8.5 + 1e-7, 47.0, 9.0, 48.0)).mask(*tile)
    centre = LatLon(47.5, 8.5 + 1.3e-6)
    edge_m = float(great_circle_many_m(centre.lat, centre.lon, centre.lat, 8.5))
    for radius_m, touches in ((edge_m * 1.01, True), (edge_m * 0.99, False)):
        assert bool(CircleRegion(centre, radius_m).mask(*tile)) == touches


@pytest.mark.parametrize("radius_m", [0.0, -1.0, float("nan"), float("inf")])
def test_a_radius_that_cannot_be_is_refused(radius_m: float) -> None:
    with pytest.raises(BadQuery, match="radius_m"):
        CircleRegion(LatLon(0.0, 0.0), radius_m)


def test_what_a_region_holds_is_inside_with_every_point() -> None:
    rng = np.random.default_rng(3)
    west, south = rng.uniform(-180, 180, 4_000), rng.uniform(-90, 85, 4_000)
    width, height = 10 ** rng.uniform(-3, 2, 4_000), 10 ** rng.uniform(-3, 1, 4_000)
    east, north = (west + width + 180) % 360 - 180, np.minimum(south + height, 90.0)
    regions = [
        BoxRegion(Bounds(-60.0, -40.0, 80.0, 70.0)),
        BoxRegion(Bounds(170.0, -40.0, -100.0, 90.0)),
        CircleRegion(LatLon(10.0, 175.0), 4_900_000.0),
        CircleRegion(LatLon(80.0, 20.0), 3_000_000.0),
        CircleRegion(LatLon(0.0, 0.0), 15_000_000.0),
    ]
    for number, region in enumerate(regions):
        held = np.flatnonzero(region.holds(west, south, east, north))
        assert len(held) > 20 or number == 4  # of a circle so large none is
        for _ in range(20):
            lon = (west[held] + rng.random(len(held)) * width[held] + 180) % 360 - 180
            lat = south[held] + rng.random(len(held)) * (north - south)[held]
            assert region.mask(lon, lat, lon, lat).all()


@given(
    centre=st.builds(LatLon, st.floats(-84, 84), st.floats(-179, 179)),
    radius_m=st.floats(0.01, 500_000),
    seed=st.integers(0, 1000),
)
@settings(max_examples=100, deadline=None)
def test_the_flat_surroundings_of_a_circle_decide_as_the_sphere_does(
    centre: LatLon, radius_m: float, seed: int
) -> None:
    region, rng = CircleRegion(centre, radius_m), np.random.default_rng(seed)
    reach = 1.2 * np.degrees(radius_m / 6_371_008.8)
    lat = np.clip(centre.lat + rng.uniform(-reach, reach, 400), -89, 89)
    lon = centre.lon + rng.uniform(-reach, reach, 400) / np.cos(np.radians(centre.lat))
    size = reach * rng.uniform(0, 0.3, 400)
    east = lon + size
    boxes = [np.where(one > 180, one - 360, np.where(one < -180, one + 360, one)) for one in (lon, east)]
    edges = boxes[0], np.maximum(lat - size, -90), boxes[1], lat
    truth = region._mask_on_sphere(*edges)
    assert region.mask(*edges).tolist() == truth.tolist()
    assert not (region.holds(*edges) & ~truth).any()


def test_nearly_all_boxes_of_a_small_circle_are_decided_without_the_sphere(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    exact = CircleRegion._mask_on_sphere
    monkeypatch.setattr(
        CircleRegion, "_mask_on_sphere", lambda self, *edges: (asked.append(len(edges[0])), exact(self, *edges))[1]
    )
    west, south = (axis.ravel() for axis in np.meshgrid(np.arange(8.0, 9.0, 0.002), np.arange(47.0, 48.0, 0.002)))
    mask = CircleRegion(LatLon(47.5, 8.5), 10_000.0).mask(west, south, west + 0.002, south + 0.002)
    assert mask.sum() > 5_000
    assert sum(asked) < 0.02 * mask.sum()


def test_at_a_pole_all_boxes_that_end_there_touch() -> None:
    for pole, low, high in ((90.0, 85.0, 90.0), (-90.0, -90.0, -85.0)):
        region = BoxRegion(Bounds(10.0, low, 20.0, high))
        assert region.mask(100.0, low, 110.0, high)
        short = (low, high - 1.0) if pole > 0 else (low + 1.0, high)
        assert not region.mask(100.0, short[0], 110.0, short[1])
        assert not BoxRegion(Bounds(10.0, short[0], 20.0, short[1])).mask(100.0, low, 110.0, high)


@pytest.mark.parametrize("own", [Bounds(8.0, 47.0, 9.0, 48.0), Bounds(170.0, 47.0, -170.0, 48.0)])
def test_a_box_holds_what_reaches_its_edges_and_nothing_beyond(own: Bounds) -> None:
    region, deg = BoxRegion(own), 0.25
    assert region.holds(*own.as_tuple())
    assert region.holds(own.east - deg, own.south, own.east, own.north)
    for edge, beyond in enumerate((own.west - deg, own.south - deg, own.east + deg, own.north + deg)):
        edges = list(own.as_tuple())
        edges[edge] = beyond
        assert not region.holds(*edges)


def test_what_is_held_is_told_of_edges_of_less_precision_as_they_stand() -> None:
    tile = [np.array([edge], np.float32) for edge in (8.0, 47.0, 8.5, 48.0)]
    assert BoxRegion(Bounds(8.0, 47.0, 8.5, 48.0)).holds(*tile)
    assert not BoxRegion(Bounds(8.0 + 1e-7, 47.0, 9.0, 48.0)).holds(*tile)
    far = LatLon(47.3, -10.1234567)  # float32 tells places a decimetre apart from one another, no less
    corner_m = float(great_circle_many_m(far.lat, far.lon, 47.0, 8.5))
    for radius_m, held in ((corner_m + 1e-3, True), (corner_m - 1e-3, False)):
        assert bool(CircleRegion(far, radius_m).holds(*tile)) == held


@pytest.mark.parametrize("centre", [LatLon(10.0, 175.0), LatLon(-30.0, -60.0), LatLon(86.0, 20.0)])
@pytest.mark.parametrize("radius_m", [3e6, 9e6, 1.6e7])
def test_a_wide_circle_holds_the_boxes_within_a_quarter_turn_whose_corners_it_reaches(
    centre: LatLon, radius_m: float
) -> None:
    rng = np.random.default_rng(5)
    west, width = rng.uniform(-180, 180, 3_000), rng.uniform(0, 100, 3_000)
    south = rng.uniform(-90, 80, 3_000)
    north, east = np.minimum(south + rng.uniform(0, 60, 3_000), 90.0), (west + width + 180) % 360 - 180
    held = CircleRegion(centre, radius_m).holds(west, south, east, north)
    begin = (west - centre.lon + 180) % 360 - 180  # degrees east of the centre
    within = (width <= 90) & (begin >= -90) & (begin + width <= 90)
    corners_m = [
        great_circle_many_m(centre.lat, centre.lon, lat, lon) for lat in (south, north) for lon in (west, east)
    ]
    assert held.tolist() == (within & (np.max(corners_m, axis=0) <= radius_m)).tolist()
    for share in np.linspace(0, 1, 9):  # and with the corners it holds all between them
        for part in np.linspace(0, 1, 9):
            lat, lon = south + share * (north - south), west + part * width
            assert (great_circle_many_m(centre.lat, centre.lon, lat[held], lon[held]) <= radius_m + 1e-3).all()


def test_a_wide_circle_holds_boxes_as_wide_as_a_quarter_turn_whatever_edges_are_given_once() -> None:
    region, box = CircleRegion(LatLon(0.0, 0.0), 1.5e7), (0.0, -10.0, 90.0, 10.0)
    assert region.holds(*box)
    assert region.holds(-90.0, -10.0, 0.0, 10.0)
    for number in range(4):
        edges = [np.full((2, 3), edge) if number == one else edge for one, edge in enumerate(box)]
        assert region.holds(*edges).shape == region.mask(*edges).shape == (2, 3)
    corner_m = float(great_circle_many_m(0.0, 0.0, 10.0, 90.0))
    assert CircleRegion(LatLon(0.0, 0.0), corner_m).holds(*box)
    assert not CircleRegion(LatLon(0.0, 0.0), float(np.nextafter(corner_m, 0.0))).holds(*box)


@pytest.mark.parametrize("centre", [LatLon(47.0, 8.0), LatLon(-33.9, 151.2), LatLon(40.7, -74.0), LatLon(0.0, 0.0)])
@pytest.mark.parametrize("size", [0.0, 0.002])
def test_a_small_circle_holds_the_boxes_whose_corners_it_reaches_all_but_its_rim(centre: LatLon, size: float) -> None:
    west, south = (axis.ravel() for axis in np.meshgrid(*(np.arange(-0.2, 0.2, 0.004) + 1e-5,) * 2))
    west, south = west + centre.lon, south + centre.lat
    east, north = west + size, south + size
    held = CircleRegion(centre, 10_000.0).holds(west, south, east, north)
    corners_m = [
        great_circle_many_m(centre.lat, centre.lon, lat, lon) for lat in (south, north) for lon in (west, east)
    ]
    farthest_m = np.max(corners_m, axis=0)
    assert not held[farthest_m > 10_000.0].any()
    assert held[farthest_m < 9_950.0].all()
    assert held.sum() > 500


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_a_mask_has_the_shape_of_the_boxes(shape: tuple[int, ...]) -> None:
    boxes = [np.full(shape, edge) for edge in (8.0, 47.0, 8.1, 47.1)]
    for region in (CircleRegion(LatLon(47.05, 8.05), 10.0), CircleRegion(LatLon(80.0, 8.0), 9e6)):
        assert region.mask(*boxes).shape == region.holds(*boxes).shape == shape


def test_a_circle_astride_the_equator_ends_where_it_says() -> None:
    """There a degree of longitude is longer than on either rim, by more than the flat bound has to spare."""
    region = CircleRegion(LatLon(0.0, 8.5), 110_000.0)
    for off_m, touches in ((-1.0, True), (1.0, False), (3.0, False)):
        edge = 8.5 + float(np.degrees((110_000.0 + off_m) / 6_371_008.8))
        assert bool(region.mask(edge, -0.01, edge + 0.01, 0.01)) == touches


def test_imagery_counts_from_its_day_on_and_only_with_a_date() -> None:
    recent = RecentImagery(datetime.date(2026, 6, 1))
    assert [recent.leaves(date) for date in ("2026-05-31", "2026-06-01", "2027-01-01", None)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("area", [None, BoxRegion(Bounds(8.0, 47.0, 9.0, 48.0))])
def test_recent_imagery_leaves_the_tiles_of_its_area_or_all(area: Region | None) -> None:
    recent = RecentImagery(datetime.date(2026, 6, 1), area)
    tiles = ([8.1, 8.9, 20.0], [47.1, 47.1, 47.1], [8.2, 9.1, 20.1], [47.2, 47.2, 47.2])
    for told, wanted in ((recent.mask, [True, True, area is None]), (recent.holds, [True, area is None, area is None])):
        mask = told(*tiles)
        assert mask.tolist() == wanted
        assert mask.dtype == np.bool_
