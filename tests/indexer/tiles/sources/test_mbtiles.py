import threading
from pathlib import Path

import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.mbtiles import MBTilesSource
from indexer.tiles.sources.source import SourceOptions
from model.common.errors import BadImage
from tests.indexer.tiles.sources.archives import write_mbtiles
from tests.indexer.tiny import encoded

TILES = {(15, 17_000 + x, 11_000 + y): encoded(10 * x + y) for x in range(3) for y in range(2)}


def test_rows_are_turned_southwards_and_read_back(tmp_path: Path) -> None:
    source = MBTilesSource(write_mbtiles(tmp_path / "a.mbtiles", TILES | {(3, 1, 2): b"x"}), SourceOptions())
    table = source.list_tiles().table
    found = {(tile.z, tile.x, tile.y): source.read(tile) for tile in map(table.record, range(len(table)))}
    assert found == TILES
    source.close()


def test_several_threads_may_read(tmp_path: Path) -> None:
    source = MBTilesSource(write_mbtiles(tmp_path / "a.mbtiles", TILES), SourceOptions())
    table, read = source.list_tiles().table, []
    threads = [threading.Thread(target=lambda: read.append(source.read(table.record(0)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = table.record(0)
    assert read == [TILES[first.z, first.x, first.y]] * 4  # type: ignore[index]
    source.close()


def test_rows_outside_the_grid_are_ignored_and_said(tmp_path: Path) -> None:
    listing = MBTilesSource(write_mbtiles(tmp_path / "a", TILES | {(2, 9, 0): b"x"}), SourceOptions()).list_tiles()
    assert len(listing.table) == len(TILES)
    assert "1 row lies outside" in listing.notes[-1]


def test_a_row_without_data_fails_when_read(tmp_path: Path) -> None:
    source = MBTilesSource(write_mbtiles(tmp_path / "a", {(15, 1, 1): None}), SourceOptions())  # type: ignore[dict-item]
    with pytest.raises(BadImage, match="no picture"):
        source.read(source.list_tiles().table.record(0))
    source.close()


def test_vector_tiles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="format 'pbf'"):
        MBTilesSource(write_mbtiles(tmp_path / "a", TILES, "pbf"), SourceOptions()).list_tiles()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mbtiles").write_bytes(b"SQLite format 3\0" + b"\1" * 2000)
    with pytest.raises(BadSource, match="no readable MBTiles"):
        MBTilesSource(tmp_path / "a.mbtiles", SourceOptions()).list_tiles()


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"no tile of the Web Mercator grid \(0 rows\)"):
        MBTilesSource(write_mbtiles(tmp_path / "a", {}), SourceOptions()).list_tiles()
