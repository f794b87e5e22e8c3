"""Rows of a list that were exchanged or lost a sign, and rows that say two places."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
import shapely

from indexer.common.errors import BadSource
from tests.inputs.making import listed, write_tile

HERE = [(-33.44 + number / 100, -70.65 + number / 50) for number in range(6)]
"""Santiago de Chile; exchanged it lies in Antarctica, and with other signs in Iraq or the sea."""


def table(path: Path, places: list[tuple[float, float]]) -> Path:
    rows = [f"{number}.png,{lat},{lon}\n" for number, (lat, lon) in enumerate(places)]
    for number in range(len(places)):
        write_tile(path.with_name(f"{number}.png"), number)
    path.write_text("path,lat,lon\n" + "".join(rows))
    return path


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((-70.65, -33.44), "with latitude and longitude exchanged"),
        ((33.44, -70.65), "with the other sign of the latitude"),
        ((-33.44, 70.65), "with the other sign of the longitude"),
        ((33.44, 70.65), "with the other sign of both"),
    ],
)
def test_a_row_that_would_lie_among_the_others_is_a_warning(
    tmp_path: Path, place: tuple[float, float], words: str
) -> None:
    (note,) = listed(table(tmp_path / "a.csv", [*HERE[:4], place, *HERE[4:]]), tile_size_m=100).notes
    assert note.startswith("warning: 1 row lies far from most others (row 5 the first, ")
    assert note.endswith(f"{words} it would lie among them")


@pytest.mark.parametrize("more", [[], [(48.2, 16.4)], [(-33.45, -70.7)] * 2, [(0.0, 120.0), (60.0, -100.0)]])
def test_other_rows_are_none(tmp_path: Path, more: list[tuple[float, float]]) -> None:
    assert listed(table(tmp_path / "a.csv", HERE + more), tile_size_m=100).notes == []


def test_rows_around_the_antimeridian_and_a_few_rows_are_none(tmp_path: Path) -> None:
    fiji = [(-17.0, 179.9), (-17.0, -179.9), (-17.1, 179.95), (-17.1, -179.95)]
    assert listed(table(tmp_path / "a.csv", fiji), tile_size_m=100).notes == []
    assert listed(table(tmp_path / "b.csv", [HERE[0], (-70.65, -33.44)]), tile_size_m=100).notes == []


def test_a_tile_at_the_pole_holds_all_longitudes(tmp_path: Path) -> None:
    found = listed(table(tmp_path / "a.csv", [(90.0, 8.5)]), tile_size_m=100)
    assert found.table.bounds.as_tuple()[::2] == (-180.0, 180.0)
    assert found.notes == []


def parquet(path: Path, box: tuple[float, float, float, float], **columns: object) -> Path:
    write_tile(path.with_name("a.png"))
    geometry = shapely.to_wkb(shapely.box(*box))
    pyarrow.parquet.write_table(pa.table({"path": ["a.png"], "geometry": [geometry], **columns}), path)
    return path


BOX = (8.5, 47.3, 8.51, 47.31)
EXCHANGED = (47.3, 8.5, 47.31, 8.51)


def test_edges_and_a_geometry_that_lie_apart_stop(tmp_path: Path) -> None:
    edges = {name: [value] for name, value in zip(("west", "south", "east", "north"), BOX, strict=True)}
    assert listed(parquet(tmp_path / "right.parquet", BOX, **edges)).table.bounds.as_tuple() == BOX
    with pytest.raises(
        BadSource, match=r"row 1 .* lies in 47\.3, 8\.5, .* and its edges west, south, east, north say 8\.5"
    ):
        listed(parquet(tmp_path / "wrong.parquet", EXCHANGED, **edges))


def test_a_covering_that_nothing_declares_is_checked_all_the_same(tmp_path: Path) -> None:
    bbox = [dict(zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True))]
    assert listed(parquet(tmp_path / "right.parquet", BOX, bbox=bbox)).table.bounds.as_tuple() == BOX
    with pytest.raises(BadSource, match=r"lies in 47\.3, 8\.5, .*, and its covering column says 8\.5, 47\.3"):
        listed(parquet(tmp_path / "wrong.parquet", EXCHANGED, bbox=bbox))
    assert listed(parquet(tmp_path / "other.parquet", BOX, bbox=["none"])).table.bounds.as_tuple() == BOX
