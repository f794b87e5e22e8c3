"""Statements of a source against its rows: they settle the order, or stop the build with the option that helps."""

from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.claims import Claim, refuse_geodetic_rows, settle_scheme
from indexer.tiles.sources.source import SourceOptions
from model.common.geo import Bounds
from tests.inputs.making import LEFT, PLACE, TOP, ZOOM, ZXY, flipped

WHERE = Path("tiles.mbtiles")
NORTHERN = Bounds(*PLACE)
SOUTHWARDS = np.array(ZXY, np.int64)
NORTHWARDS = np.array([(z, x, flipped(z, y)) for z, x, y in ZXY], np.int64)


def settle(rows, *claims, usual="xyz", **options):
    return settle_scheme(rows, claims, SourceOptions(**options), WHERE, usual=usual)


def test_without_a_statement_the_format_decides():
    assert settle(SOUTHWARDS) == ("xyz", [])
    assert settle(NORTHWARDS, usual="tms") == ("tms", [])


def test_a_statement_that_the_rows_bear_out_is_followed_and_told():
    scheme, notes = settle(NORTHWARDS, Claim("tilemapresource.xml", "tms", (NORTHERN,)))
    assert scheme == "tms"
    assert notes == ["rows are taken as tms (column, then row from the south), as tilemapresource.xml says"]


def test_two_statements_that_disagree_stop_the_build():
    with pytest.raises(BadSource, match=r"a says tms .* but b says xyz .*Give --scheme tms or --scheme xyz"):
        settle(SOUTHWARDS, Claim("a", "tms"), Claim("b", "xyz"))


def test_rows_that_lie_elsewhere_than_is_said_stop_the_build_and_the_scheme_that_fits_is_named():
    with pytest.raises(BadSource, match=r"metadata says that the tiles lie in 8.5.*Give --scheme tms if the place"):
        settle(NORTHWARDS, Claim("metadata", boxes=(NORTHERN,)))


def test_the_option_overrules_every_statement_and_a_warning_says_so():
    scheme, notes = settle(NORTHWARDS, Claim("metadata", "tms", (NORTHERN,)), scheme="xyz")
    assert scheme == "xyz"
    assert len(notes) == 1
    assert notes[0].startswith("warning: metadata says")
    assert notes[0].endswith("taken as --scheme xyz says")


def test_one_of_several_readings_of_a_place_is_enough():
    swapped = Bounds(NORTHERN.south, NORTHERN.west, NORTHERN.north, NORTHERN.east)
    assert settle(SOUTHWARDS, Claim("old.xml", boxes=(swapped, NORTHERN))) == ("xyz", [])


def test_a_few_tiles_outside_the_place_are_only_told():
    astray = np.concatenate([np.repeat(SOUTHWARDS, 2, axis=0), [(ZOOM, LEFT + 40, TOP)]])
    scheme, notes = settle(astray, Claim("metadata", boxes=(NORTHERN,)))
    assert scheme == "xyz"
    assert notes == ["warning: 11% of the tiles lie outside the place that metadata gives"]


def test_a_place_is_compared_with_the_zoom_that_is_indexed_only():
    world = np.concatenate([SOUTHWARDS, [(2, 0, 0), (2, 3, 3)]])
    assert settle(world, Claim("metadata", boxes=(NORTHERN,))) == ("xyz", [])


def test_another_grid_stops_the_build():
    with pytest.raises(BadSource, match="tiles of the profile 'geodetic', not of the Web Mercator"):
        settle(SOUTHWARDS, Claim("metadata.json", other_grid="the profile 'geodetic'"))


def test_rows_of_the_grid_that_is_twice_as_wide_are_recognized():
    stored = np.array([(3, x, 2) for x in range(16)], np.int64)
    kept = stored[:, 1] < 8
    with pytest.raises(BadSource, match=r"8 of 16 tiles east of the Web Mercator grid, such as 3/8/2"):
        refuse_geodetic_rows(stored, kept, WHERE)
    refuse_geodetic_rows(stored, np.ones(16, bool), WHERE)
    stored[-1] = (3, 900, 2)  # on neither grid: a stray row, which is left out elsewhere
    refuse_geodetic_rows(stored, kept, WHERE)
