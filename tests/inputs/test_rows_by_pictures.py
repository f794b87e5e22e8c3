"""Sources that say nothing of their rows: neighbouring pictures go on over their seam in one order alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.common.errors import BadSource
from tests.indexer.tiles.sources.archives import write_mbtiles, write_pmtiles
from tests.inputs.making import LEFT, TOP, ZOOM, flipped, listed, names_of, place_of, tiles_of_country, write_country

NAMES = {
    "xyz": lambda z, x, y: f"{z}/{x}/{y}.png",
    "tms": lambda z, x, y: f"{z}/{x}/{flipped(z, y)}.png",
    "zyx": lambda z, x, y: f"{z}/{y}/{x}.png",
}
RIGHT = sorted(f"{z}/{x}/{y}" for z, x, y in tiles_of_country())


@pytest.mark.parametrize("order", ["tms", "zyx"])
def test_a_folder_without_a_description_whose_rows_are_taken_wrongly_stops(tmp_path: Path, order: str) -> None:
    write_country(tmp_path, NAMES[order])
    with pytest.raises(BadSource, match=rf"neighbouring pictures .* {order} .*Give --scheme {order} if the pictures"):
        listed(tmp_path)
    assert names_of(tmp_path, scheme=order) == RIGHT


def test_a_folder_whose_rows_are_taken_rightly_is_listed_without_a_word(tmp_path: Path) -> None:
    found = listed(write_country(tmp_path, NAMES["xyz"]))
    assert sorted(found.table.tile_id.tolist()) == RIGHT
    assert found.notes == []


@pytest.mark.parametrize("order", NAMES)
@pytest.mark.parametrize("asked", NAMES)
def test_an_order_that_is_asked_for_is_followed_and_doubted_aloud(tmp_path: Path, order: str, asked: str) -> None:
    notes = listed(write_country(tmp_path, NAMES[order]), scheme=asked).notes
    assert len(notes) == (order != asked)
    assert all(note.startswith("warning:") and f"taken as --scheme {asked} says" in note for note in notes)


def test_mbtiles_from_the_north_that_say_nothing_of_their_place_stop(tmp_path: Path) -> None:
    turned = {(z, x, flipped(z, y)): data for (z, x, y), data in tiles_of_country().items()}
    path = write_mbtiles(tmp_path / "north.mbtiles", turned)
    with pytest.raises(BadSource, match="Give --scheme xyz if the pictures are right"):
        listed(path)
    assert names_of(path, scheme="xyz") == RIGHT
    assert names_of(write_mbtiles(tmp_path / "right.mbtiles", tiles_of_country())) == RIGHT


def test_pmtiles_that_were_made_of_tiles_from_the_south_stop(tmp_path: Path) -> None:
    turned = {(z, x, flipped(z, y)): data for (z, x, y), data in tiles_of_country().items()}
    path = write_pmtiles(tmp_path / "south.pmtiles", turned)
    with pytest.raises(BadSource, match="Give --scheme tms if the pictures are right"):
        listed(path)
    assert listed(path, scheme="tms").table.bounds.as_tuple() == pytest.approx(place_of(list(tiles_of_country())))


def test_pictures_that_do_not_tell_stop_nothing(tmp_path: Path) -> None:
    """Too few neighbours; pictures that are all one; pictures of which none goes on in another."""
    write_country(tmp_path / "few", NAMES["tms"], columns=2, rows=2)
    same = tiles_of_country()[ZOOM, LEFT, TOP]
    for tile in tiles_of_country():
        path = tmp_path / "same" / NAMES["tms"](*tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(same)
    for folder in ("few", "same"):
        assert listed(tmp_path / folder).notes == []
