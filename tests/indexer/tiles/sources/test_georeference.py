"""Where pixels lie: checked against pyproj, which the product does not use for it."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from indexer.common.errors import BadSource
from indexer.tiles.sources.georeference import Window, georeference_of
from tests.inputs.rasters import control_points, write

UTM, GRID = "EPSG:32632", Affine(10.0, 0.0, 465_000.0, 0.0, -10.0, 5_247_000.0)
PIXELS = np.full((1, 40, 60), 7, np.uint8)


def place_of(path):
    with rasterio.open(path) as data:
        return georeference_of(data, path.name)


def written(tmp_path, **profile):
    return place_of(write(tmp_path / "a.tif", PIXELS, **profile))


def expected(columns, rows, crs=UTM, grid=GRID):
    x, y = grid * (np.asarray(columns, float), np.asarray(rows, float))
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)


def test_a_transform_places_pixels_and_finds_them_again(tmp_path):
    place = written(tmp_path, crs=UTM, transform=GRID)
    columns, rows = np.array([0.0, 60.0, 30.5]), np.array([0.0, 40.0, 20.5])
    lon, lat = place.place(columns, rows)
    assert np.allclose((lon, lat), expected(columns, rows), atol=1e-9)
    assert np.allclose(place.pixels(lon, lat), (columns, rows), atol=1e-4)
    assert (place.turns, place.web_mercator) == ((0,), False)


def test_control_points_place_pixels_like_the_transform_that_they_follow(tmp_path):
    points, crs = control_points(UTM, GRID, 60, 40)
    path = tmp_path / "a.tif"
    write(path, PIXELS, gcps=points, crs=crs)
    place = place_of(path)
    assert place.transform is None
    assert len(place.gcps) == 9
    assert np.allclose(place.place([0.0, 60.0], [0.0, 40.0]), expected([0, 60], [0, 40]), atol=1e-7)


def test_the_extent_is_a_box_around_all_edges_and_the_size_of_a_pixel(tmp_path):
    bounds, resolution_m = written(tmp_path, crs=UTM, transform=GRID).extent(60, 40, "a.tif")
    lon, lat = expected([0, 60, 0, 60], [0, 0, 40, 40])
    assert bounds.as_tuple() == pytest.approx((min(lon), min(lat), max(lon), max(lat)), abs=1e-6)
    assert resolution_m == pytest.approx(10.0 / np.cos(np.radians(47.37)), rel=0.01)


def test_a_cylindrical_map_repeats_and_its_extent_may_cross_180_degrees(tmp_path):
    place = written(tmp_path, crs="EPSG:4326", transform=Affine(0.1, 0.0, 178.0, 0.0, -0.1, 5.0))
    assert place.period == pytest.approx(360.0)
    assert place.turns == (0, 1, -1)
    bounds, _ = place.extent(60, 40, "a.tif")
    assert bounds.as_tuple() == pytest.approx((178.0, 1.0, -176.0, 5.0), abs=1e-6)
    column, row = place.pixels(np.array([-177.0]), np.array([3.0]), turn=1)
    assert (column[0], row[0]) == pytest.approx((50.0, 20.0))


def test_the_tile_grids_own_system_is_recognized(tmp_path):
    grid = Affine(10.0, 0.0, 950_000.0, 0.0, -10.0, 6_000_000.0)
    assert written(tmp_path, crs="EPSG:3857", transform=grid).web_mercator
    assert not written(tmp_path, crs="EPSG:3395", transform=grid).web_mercator


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ({}, "no coordinate reference system or transform"),
        ({"crs": UTM, "transform": Affine(10, 0, 465_000, 10, 0, 5_247_000)}, "maps all pixels to a line"),
        ({"crs": "+proj=longlat +a=1737400 +b=1737400", "transform": Affine(0.1, 0, 8, 0, -0.1, 47)}, "1,737 km"),
        ({"crs": 'LOCAL_CS["site",UNIT["metre",1]]', "transform": GRID}, "no place on Earth"),
    ],
)
def test_what_has_no_place_on_earth_is_refused(tmp_path, profile, reason):
    with pytest.raises(BadSource, match=reason):
        written(tmp_path, **profile)


def test_an_extent_beyond_the_map_or_of_impossible_pixels_is_refused(tmp_path):
    polar = written(tmp_path, crs="EPSG:4326", transform=Affine(0.1, 0.0, 8.0, 0.0, -0.05, 89.0))
    with pytest.raises(BadSource, match="lies outside the Web Mercator map"):
        polar.extent(60, 40, "a.tif")
    tiny = written(tmp_path, crs=UTM, transform=Affine(1e-5, 0.0, 465_000.0, 0.0, -1e-5, 5_247_000.0))
    with pytest.raises(BadSource, match="contradict each other"):
        tiny.extent(60, 40, "a.tif")


def test_a_part_read_smaller_is_placed_where_it_lies(tmp_path):
    place = written(tmp_path, crs=UTM, transform=GRID)
    options = place.warp_options(Window(20, 10, 30, 20), (10, 15))
    assert options["src_transform"] * (0, 0) == GRID * (20, 10)
    assert options["src_transform"] * (15, 10) == GRID * (50, 30)
