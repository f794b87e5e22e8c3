import mercantile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
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


@st.composite
def tiles(draw: st.DrawFn) -> tuple[int, int, int]:
    z = draw(st.integers(1, 25))
    return z, draw(st.integers(0, (1 << z) - 1)), draw(st.integers(0, (1 << z) - 1))


@given(tile=tiles(), scheme=st.sampled_from(ROW_SCHEMES))
def test_a_scheme_leads_to_the_tile_and_back(tile: tuple[int, int, int], scheme: str) -> None:
    stored = np.array([from_xyz(*tile, scheme)], np.int64)
    assert on_grid(stored).all()
    assert to_xyz(stored, scheme).tolist() == [list(tile)]


@given(tile=tiles())
def test_quadkeys_are_those_of_mercantile(tile: tuple[int, int, int]) -> None:
    z, x, y = tile
    assert quadkey_tile(mercantile.quadkey(x, y, z)) == tile
    assert NamePattern("{q}.png").tile(f"{mercantile.quadkey(x, y, z)}.png") == tile


def test_the_three_orders_are_what_they_are_called() -> None:
    assert [from_xyz(3, 1, 2, scheme) for scheme in ROW_SCHEMES] == [(3, 1, 2), (3, 1, 5), (3, 2, 1)]


def test_numbers_beyond_the_grid_are_told() -> None:
    stored = np.array(
        [[0, 0, 0], [0, 1, 0], [3, 7, 7], [3, 0, 8], [3, -1, 0], [MAX_ZOOM + 1, 0, 0], [99, 0, 0]], np.int64
    )
    assert on_grid(stored).tolist() == [True, False, True, False, False, False, False]


def test_a_pattern_wants_the_whole_name_and_the_same_number_twice() -> None:
    pattern = NamePattern("*/{z}/{x}/{z}_{y}.png")
    assert pattern.tile("set/3/1/3_2.png") == (3, 1, 2)
    for name in ("set/3/1/4_2.png", "3/1/3_2.png", "set/3/1/3_2.png.aux", "a/set/3/1/3_2.png", "set/3/9/3_2.png"):
        assert pattern.tile(name) is None


@pytest.mark.parametrize("scheme", ["auto", *ROW_SCHEMES, "quadkey", "{z}-{x}-{-y}"])
def test_known_schemes_pass_and_are_told_in_words(scheme: str) -> None:
    check_scheme(scheme)
    assert scheme in in_words(scheme)


@pytest.mark.parametrize("scheme", ["", "XYZ", "{z}", "{z}{x}{y}{q}", "{a}", "{z}/{x}/{y}/{-y}"])
def test_others_are_refused(scheme: str) -> None:
    with pytest.raises(BadSource, match="scheme"):
        check_scheme(scheme)


def test_names_do_not_apply_to_numbered_tiles() -> None:
    require_row_scheme("tms", "here")
    with pytest.raises(BadSource, match="give xyz, tms, zyx"):
        require_row_scheme("{q}", "here")
