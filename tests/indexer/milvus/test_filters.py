"""The condition against the region itself, on tiles anywhere; Python reads it as the database does."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.common.errors import NotInDatabase
from indexer.milvus.filters import condition, touches
from indexer.tiles.areas import TrackRegion
from indexer.tiles.region import BoxRegion, CircleRegion, RecentImagery
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds, LatLon

LONS = st.one_of(st.sampled_from([-180.0, -179.5, 0.0, 179.5, 180.0]), st.floats(-180, 180))
LATS = st.one_of(st.sampled_from([-90.0, 0.0, 90.0]), st.floats(-90, 90))


@st.composite
def boxes(draw):
    south, north = sorted((draw(LATS), draw(LATS)))
    return Bounds(draw(LONS), south, draw(LONS), north)


def tile(bounds):
    return TileRecord("t", None, None, None, 0.0, 0.0, bounds, "t")


def told(text, bounds, day=0):
    west, south, east, north = bounds.as_tuple()
    reach = east if east >= west else east + 360.0
    names = {"west": west, "south": south, "north": north, "reach": reach, "day": day}
    return not text or bool(eval(text, {"__builtins__": {}}, names))


@given(boxes(), boxes())
def test_no_tile_that_touches_a_box_is_ruled_out(area, bounds):
    region = BoxRegion(area)
    if touches(region, [tile(bounds)])[0]:
        assert told(condition(region), bounds)


@given(LATS, LONS, st.floats(1.0, 5e6), boxes())
def test_nor_one_that_touches_a_circle(lat, lon, radius_m, bounds):
    region = CircleRegion(LatLon(lat, lon), radius_m)
    if touches(region, [tile(bounds)])[0]:
        assert told(condition(region), bounds)


@settings(max_examples=50, deadline=None)
@given(st.floats(-80, 80), st.floats(-179, 179), st.integers(-40, 40), st.integers(1, 40), boxes())
def test_nor_one_beside_a_track(lat, lon, north, east, bounds):
    region = TrackRegion((np.array([[lon, lat], [lon + east / 1000, lat + north / 1000]]),), 200.0)
    if touches(region, [tile(bounds)])[0]:
        assert told(condition(region), bounds)


def test_a_tile_far_away_is_left_out():
    region = CircleRegion(LatLon(47.0, 8.0), 1000.0)
    assert told(condition(region), Bounds(8.0, 47.0, 8.01, 47.01))
    assert not told(condition(region), Bounds(9.0, 47.0, 9.01, 47.01))
    assert not told(condition(region), Bounds(8.0, 48.0, 8.01, 48.01))


def test_tiles_over_the_antimeridian_are_looked_for_where_there_are_any():
    box = BoxRegion(Bounds(-179.9, 0.0, -179.8, 1.0))
    over = Bounds(179.95, 0.0, -179.85, 1.0)
    assert told(condition(box), over)
    assert condition(box, crossing=False).count("reach") == 1


def test_days_are_numbers():
    since = datetime.date(2026, 6, 1)
    assert condition(None, since=since) == "day >= 20260601"
    later = RecentImagery(datetime.date(2026, 7, 1))
    assert condition(later, since=since) == "day >= 20260701"
    assert condition(None) == ""


def test_an_area_of_an_unknown_kind_is_refused_by_name():
    class Moon:
        """Touches all."""

    with pytest.raises(NotInDatabase, match="Moon"):
        condition(Moon())


def test_a_point_of_the_text_has_no_exponent():
    text = condition(BoxRegion(Bounds(1e-10, -1e-10, 2e-10, 1e-10)))
    assert "e-" not in text
