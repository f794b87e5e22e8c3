import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.common.errors import BadQuery
from indexer.tiles.region import BoxRegion, CircleRegion
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
