from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.claims import Claim, refuse_geodetic_rows, settle_scheme
from indexer.tiles.sources.schemes import on_grid, to_xyz
from indexer.tiles.sources.source import SourceOptions
from model.common.geo import Bounds, LatLon
from tests.inputs.making import ZXY, flipped, place_of

HERE = Path("here")
ROWS = np.array(ZXY, np.int64)
TURNED = np.array([(z, x, flipped(z, y)) for z, x, y in ZXY], np.int64)
PLACE = Bounds(*place_of(ZXY))


def settled(rows: np.ndarray, *claims: Claim, scheme: str = "auto", usual: str = "xyz") -> tuple[str, list[str]]:
    return settle_scheme(rows, claims, SourceOptions(scheme=scheme), HERE, usual=usual)


def test_without_a_claim_the_format_decides() -> None:
    assert settled(ROWS) == ("xyz", [])
    assert settled(ROWS, usual="tms") == ("tms", [])


def test_a_claimed_scheme_is_followed_with_a_note() -> None:
    scheme, notes = settled(TURNED, Claim("a.xml", "tms", (PLACE,)))
    assert scheme == "tms"
    assert notes == ["rows are taken as tms (column, then row from the south), as a.xml says"]


def test_the_place_decides_between_readings_of_one_statement() -> None:
    nonsense = Bounds(47.0, 8.0, 47.1, 8.1)
    assert settled(ROWS, Claim("a", boxes=(nonsense, PLACE)))[0] == "xyz"


def test_the_message_names_every_scheme_that_fits() -> None:
    with pytest.raises(BadSource, match=r"Give --scheme tms if the place is right.*Give --scheme xyz if the rows"):
        settled(TURNED, Claim("a", boxes=(PLACE,)))
    with pytest.raises(
        BadSource, match=r"8\.54736, 47\.37975 \(west, south, east, north\)\. Give --scheme xyz if the rows"
    ):
        settled(ROWS, Claim("a", boxes=(Bounds(100.0, 10.0, 101.0, 11.0),)))


def test_a_row_beside_the_equator_is_not_taken_for_its_neighbour() -> None:
    rows = np.array([(10, 500, 511)], np.int64)  # just north of the equator
    north = Bounds(-4.21, 0.0, -3.87, 0.35)
    assert settled(rows, Claim("a", boxes=(north,)))[0] == "xyz"
    with pytest.raises(BadSource, match="--scheme xyz if the place"):
        settled(rows, Claim("a", boxes=(north,)), usual="tms")


def test_a_scheme_given_wins_and_the_contradiction_is_told() -> None:
    scheme, notes = settled(ROWS, Claim("a", boxes=(PLACE,), other_grid="the moon"), scheme="tms")
    assert scheme == "tms"
    assert [note.partition(",")[0] for note in notes] == [
        "warning: a says that the tiles lie in 8.53638",
        "warning: a says that these are tiles of the moon; taken as --scheme tms says",
    ]


def test_another_grid_stops() -> None:
    with pytest.raises(BadSource, match=r"tiles of the profile 'geodetic', not of the Web Mercator grid"):
        settled(ROWS, Claim("a", other_grid="the profile 'geodetic'"))


def test_a_centre_counts_only_where_another_order_fits_it() -> None:
    centre = LatLon(47.376, 8.5418)
    assert settled(ROWS, Claim("a", centres=(centre,))) == ("xyz", [])
    assert settled(ROWS, Claim("a", centres=(LatLon(1.0, 1.0),))) == ("xyz", [])
    with pytest.raises(BadSource, match="have their centre at"):
        settled(TURNED, Claim("a", centres=(centre,)))


def test_only_the_zoom_to_be_indexed_is_compared() -> None:
    world = np.array([(0, 0, 0)], np.int64)
    with pytest.raises(BadSource, match="--scheme tms"):
        settled(np.concatenate([world, TURNED]), Claim("a", boxes=(PLACE,)))


def test_many_rows_are_compared_by_a_part_of_them() -> None:
    x, y = np.meshgrid(np.arange(500), np.arange(500))
    rows = np.stack([np.full(x.size, 16), 34_000 + x.ravel(), 22_700 + y.ravel()], axis=1).astype(np.int64)
    box = Bounds(*place_of([tuple(rows[0]), tuple(rows[-1])]))
    assert settled(rows, Claim("a", boxes=(box,))) == ("xyz", [])
    with pytest.raises(BadSource, match="--scheme tms"):
        settled(to_xyz(rows, "tms"), Claim("a", boxes=(box,)))


def test_rows_of_the_geodetic_grid_are_told_from_a_stray() -> None:
    west, east, far = [(5, 20, 9)], [(5, 40, 9)], [(5, 70, 9)]
    for rows, geodetic in ((west * 2 + east, True), (west * 20 + east, False), (west + far, False)):
        stored = np.array(rows, np.int64)
        if geodetic:
            with pytest.raises(BadSource, match=r"1 of 3 tiles east of the Web Mercator grid, such as 5/40/9"):
                refuse_geodetic_rows(stored, on_grid(stored), HERE)
        else:
            refuse_geodetic_rows(stored, on_grid(stored), HERE)
