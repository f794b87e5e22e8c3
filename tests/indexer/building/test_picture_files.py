"""Files of tiles are read in order, by threads where that takes long, and what cannot be read is told."""

import threading
import time
from pathlib import Path

import pytest

from indexer.building import picture_files
from indexer.building.decoding import Decoded, TileRow
from indexer.building.picture_files import PictureFiles


def rows(names: list[str]) -> list[TileRow]:
    return [TileRow(row, name, name, True) for row, name in enumerate(names)]


def test_files_are_read_in_order_and_a_missing_one_says_why(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "d").mkdir()
    read = [picture for picture, _ in PictureFiles(tmp_path).read(rows(["b", "c", "a", "d"]))]
    assert (read[0], read[2]) == (b"two", b"one")
    assert isinstance(read[1], Decoded)
    assert read[1].row == 1
    assert read[1].reason == f"c: [Errno 2] No such file or directory: '{tmp_path / 'c'}'"
    assert isinstance(read[3], Decoded)
    assert "is no plain file but a folder" in read[3].reason


def test_threads_read_ahead_of_who_asks_once_reading_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = set()

    def slow(_: Path, name: str) -> bytes:
        readers.add(threading.get_ident())
        time.sleep(0.002)
        return name.encode()

    monkeypatch.setattr(picture_files, "read_picture", slow)
    files, group = PictureFiles(tmp_path), rows([str(number) for number in range(16)])
    expected = [tile.source.encode() for tile in group]
    assert [picture for picture, _ in files.read(group)] == expected
    assert readers == {threading.get_ident()}
    readers.clear()
    timed = list(files.read(group))
    assert [picture for picture, _ in timed] == expected
    assert all(seconds >= 0.002 for _, seconds in timed)
    assert len(readers) > 1
    assert threading.get_ident() not in readers
