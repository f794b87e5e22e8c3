"""Orders of rows: each has its way to (z, x, y southwards) and back, and names that are none are refused."""

import mercantile
import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.schemes import (
    ROW_SCHEMES,
    NamePattern,
    check_scheme,
    from_xyz,
    in_words,
    on_grid,
    quadkey_tile,
    require_row_scheme,
    to_xyz,
)

TILE = (15, 17_000, 11_000)


@pytest.mark.parametrize(
    ("scheme", "stored"),
    [("xyz", (15, 17_000, 11_000)), ("tms", (15, 17_000, 21_767)), ("zyx", (15, 11_000, 17_000))],
)
def test_each_order_leads_to_the_same_tile_and_back(scheme, stored):
    assert to_xyz(np.array([stored], np.int64), scheme).tolist() == [list(TILE)]
    assert from_xyz(*TILE, scheme) == stored


def test_the_grid_ends_at_its_sides_at_every_zoom():
    stored = np.array([(0, 0, 0), (3, 7, 7), (3, 8, 0), (3, 0, 8), (3, -1, 0), (-1, 0, 0), (99, 0, 0)], np.int64)
    assert on_grid(stored).tolist() == [True, True, False, False, False, False, False]


def test_a_quadkey_is_mercantiles():
    for zoom, x, y in ((1, 1, 0), (5, 17, 9), TILE):
        assert quadkey_tile(mercantile.quadkey(x, y, zoom)) == (zoom, x, y)


@pytest.mark.parametrize(
    ("pattern", "name", "tile"),
    [
        ("{z}_{x}_{y}.png", "15_17000_11000.png", TILE),
        ("{z}/{x}/{-y}.png", "15/17000/21767.png", TILE),
        ("*/{q}.jpg", "any/03.jpg", (2, 1, 1)),
        ("{z}/{x}/{z}-{y}.png", "15/17000/15-11000.png", TILE),
        ("{z}/{x}/{z}-{y}.png", "15/17000/14-11000.png", None),
        ("{z}_{x}_{y}.png", "15_17000_11000_png", None),
        ("{z}_{x}_{y}.png", "3_8_0.png", None),
        ("{z}_{x}_{y}.png", "99_0_0.png", None),
    ],
)
def test_a_pattern_reads_names_of_its_form_only(pattern, name, tile):
    assert NamePattern(pattern).tile(name) == tile


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ("tsm", "scheme is 'tsm'; give auto"),
        ("{z}_{x}.png", "does not place a tile"),
        ("{z}/{x}/{y}/{-y}.png", "does not place a tile"),
        ("{zoom}/{x}/{y}.png", "scheme has '{zoom}'; known are"),
    ],
)
def test_what_is_no_scheme_is_refused(scheme, reason):
    with pytest.raises(BadSource, match=reason):
        check_scheme(scheme)


def test_schemes_of_names_are_refused_where_tiles_are_numbered():
    for scheme in (*ROW_SCHEMES, "auto"):
        require_row_scheme(scheme, "a.mbtiles")
    for scheme in ("quadkey", "{z}_{x}_{y}.png"):
        with pytest.raises(BadSource, match=r"a.mbtiles numbers its tiles.*give xyz, tms, zyx"):
            require_row_scheme(scheme, "a.mbtiles")


def test_a_scheme_is_explained():
    assert in_words("tms") == "tms (column, then row from the south)"
    assert in_words("{q}.png") == "{q}.png"
