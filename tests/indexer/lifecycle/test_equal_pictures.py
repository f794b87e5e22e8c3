"""A picture that comes again with an addition is reported, whatever its place and date."""

import datetime
from pathlib import Path

import pytest

from tests.indexer.lifecycle.living import add, name_of, put_tile, remove
from tests.indexer.tiny import build_tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny(tmp_path).close()
    return tmp_path / "index"


def warnings_of(folder: Path, tiles: Path, **options: object) -> list[str]:
    return [note for note in add(folder, tiles, **options).notes if "that the index has" in note]


def test_a_picture_that_the_index_has_elsewhere_or_of_another_date_is_named(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "more", 8, 0, 3)  # the picture of the tile in column 1, row 0
    put_tile(tmp_path / "more", 8, 1, 100)
    (warning,) = warnings_of(folder, tmp_path / "more")
    assert f"1 new tile shows the very picture of one that the index has, as {name_of(8, 0)} that of " in warning
    assert f"that of {name_of(1, 0)};" in warning
    later = datetime.date(2026, 6, 1)
    put_tile(tmp_path / "later", 8, 0, 3)
    put_tile(tmp_path / "later", 8, 1, 100)
    (warning,) = warnings_of(folder, tmp_path / "later", date=later)
    assert "2 new tiles show the very picture of one that the index has" in warning
    put_tile(tmp_path / "again", 9, 9, 3)
    put_tile(tmp_path / "again", 9, 8, 3)
    for number, date in enumerate((later, datetime.date(2026, 7, 1))):
        (warning,) = warnings_of(folder, tmp_path / "again", date=date)
        assert warning.startswith("warning: 2 new tiles"), number


def test_new_pictures_and_those_that_were_taken_out_are_not(folder: Path, tmp_path: Path) -> None:
    remove(folder, ids=(name_of(1, 0),))
    put_tile(tmp_path / "more", 8, 0, 3)
    put_tile(tmp_path / "more", 8, 1, 100)
    assert warnings_of(folder, tmp_path / "more") == []
