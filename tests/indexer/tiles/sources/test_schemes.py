import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.schemes import (
    NamePattern,
    check_scheme,
    from_xyz,
    in_words,
    on_grid,
    quadkey_tile,
    require_row_scheme,
    to_xyz,
)


@pytest.mark.parametrize("scheme", ["xyz", "tms", "zyx"])
def test_there_and_back_is_the_same_tile(scheme):
    stored = np.array([from_xyz(5, 3, 7, scheme)], np.int64)
    assert to_xyz(stored, scheme).tolist() == [[5, 3, 7]]


def test_tms_counts_from_the_south_and_zyx_gives_the_row_first():
    assert from_xyz(5, 3, 7, "tms") == (5, 3, 24)
    assert from_xyz(5, 3, 7, "zyx") == (5, 7, 3)


def test_rows_beyond_the_grid_are_told():
    rows = np.array([[2, 3, 3], [2, 4, 0], [2, -1, 0], [31, 0, 0]], np.int64)
    assert on_grid(rows).tolist() == [True, False, False, False]


def test_a_quadkey_is_a_tile():
    assert quadkey_tile("213") == (3, 3, 5)


@pytest.mark.parametrize(
    ("pattern", "name", "tile"),
    [
        ("{z}_{x}_{y}.png", "3_1_2.png", (3, 1, 2)),
        ("{z}/{x}/{-y}.jpg", "3/1/2.jpg", (3, 1, 5)),
        ("*/{q}.png", "anything/213.png", (3, 3, 5)),
        ("{z}/{z}_{x}_{y}.png", "3/4_1_2.png", None),
        ("{z}_{x}_{y}.png", "3_8_0.png", None),
        ("{z}_{x}_{y}.png", "a3_1_2.png", None),
    ],
)
def test_a_pattern_reads_names_of_its_form_only(pattern, name, tile):
    assert NamePattern(pattern).tile(name) == tile


@pytest.mark.parametrize(("scheme", "reason"), [("wms", "'wms'; give auto"), ("{z}/{x}.png", "does not place a tile"),
                                                ("{z}{x}{y}{k}", "known are")])  # fmt: skip
def test_a_scheme_that_is_none_is_refused(scheme, reason):
    with pytest.raises(BadSource, match=reason):
        check_scheme(scheme)


def test_numbered_tiles_have_no_names():
    require_row_scheme("tms", "tiles.mbtiles")
    with pytest.raises(BadSource, match="numbers its tiles, so --scheme quadkey does not apply"):
        require_row_scheme("quadkey", "tiles.mbtiles")
    assert in_words("tms") == "tms (column, then row from the south)"
