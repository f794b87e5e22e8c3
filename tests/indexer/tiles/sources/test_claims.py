from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.grid import tile_bounds
from indexer.tiles.sources.claims import Claim, refuse_geodetic_rows, settle_scheme
from indexer.tiles.sources.source import SourceOptions
from model.common.geo import Bounds

ROWS = np.array([[12, 2000 + i, 1300 + j] for i in range(4) for j in range(4)], np.int64)
WHERE = Path("tiles")


def box_of(rows) -> Bounds:
    west, south, east, north = tile_bounds(*rows.T)
    return Bounds(west.min(), south.min(), east.max(), north.max())


def settle(*claims, usual="xyz", **options):
    return settle_scheme(ROWS, claims, SourceOptions(**options), WHERE, usual=usual)


def test_silence_means_what_the_format_means():
    assert settle() == ("xyz", [])
    assert settle(usual="tms") == ("tms", [])


def test_a_statement_is_followed_and_named():
    scheme, notes = settle(Claim("metadata.json", scheme="tms"))
    assert scheme == "tms"
    assert notes == ["rows are taken as tms (column, then row from the south), as metadata.json says"]


def test_two_statements_that_disagree_stop_the_build():
    with pytest.raises(BadSource, match=r"a says .*from the north\) but b says tms"):
        settle(Claim("a", scheme="xyz"), Claim("b", scheme="tms"))


def test_a_place_that_the_rows_fit_turned_over_names_the_option():
    claim = Claim("metadata.bounds", boxes=(box_of(ROWS),))
    assert settle(claim) == ("xyz", [])
    with pytest.raises(BadSource, match="Give --scheme xyz if the place is right"):
        settle(claim, usual="tms")
    scheme, notes = settle(claim, usual="xyz", scheme="tms")
    assert scheme == "tms"
    assert notes[0].startswith("warning: metadata.bounds says that the tiles lie in")


def test_another_grid_is_refused_by_its_name():
    with pytest.raises(BadSource, match="tiles of the profile 'geodetic'"):
        settle(Claim("tilemapresource.xml", other_grid="the profile 'geodetic'"))


def test_rows_of_the_geodetic_grid_are_known_by_where_they_lie():
    rows = np.array([[3, 12, 2], [3, 3, 2]], np.int64)
    refuse_geodetic_rows(ROWS, np.ones(len(ROWS), np.bool_), WHERE)
    with pytest.raises(BadSource, match=r"1 of 2 tiles east of the Web Mercator grid, such as 3/12/2"):
        refuse_geodetic_rows(rows, np.array([False, True]), WHERE)
