"""Archives with quirks: MBTiles without what the specification asks for, PMTiles that claim the absurd."""

import gzip
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pmtiles.tile import Compression, Entry, TileType, serialize_directory, serialize_header

from indexer.common.errors import BadSource
from indexer.tiles.sources.mbtiles import MBTilesSource
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from tests.indexer.tiny import encoded
from tests.inputs.making import ZOOM, ZXY, flipped, listed, names_of, write_mbtiles

ROWS: list[tuple[object, object, object]] = [(z, x, flipped(z, y)) for z, x, y in ZXY]
NAMES = sorted(f"{z}/{x}/{y}" for z, x, y in ZXY)


def test_mbtiles_without_metadata_are_read_with_a_note(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS, None)
    assert names_of(path) == NAMES
    assert any("no table metadata" in note for note in listed(path).notes)


def test_mbtiles_that_do_not_say_their_format_show_it(tmp_path: Path) -> None:
    assert names_of(write_mbtiles(tmp_path / "a.mbtiles", ROWS, {})) == NAMES
    path = write_mbtiles(tmp_path / "b.mbtiles", ROWS[:1], {})
    database = sqlite3.connect(path)
    database.execute("UPDATE tiles SET tile_data = ?", (gzip.compress(b"\x1a\x05layer"),))
    database.commit()
    database.close()
    with pytest.raises(BadSource, match="vector tiles"):
        listed(path)


@pytest.mark.parametrize("said", ["PNG", ".png", "png8:m=h", "jpeg80", "image/png", "mixed", "raster"])
def test_a_format_in_other_words_is_read(tmp_path: Path, said: str) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS, {"format": said})
    assert names_of(path) == NAMES
    assert any("are pictures" in note for note in listed(path).notes) == (said in ("mixed", "raster"))


@pytest.mark.parametrize("said", ["pbf", "avif", "gif"])
def test_a_format_that_is_not_read_is_refused(tmp_path: Path, said: str) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS, {"format": said})
    database = sqlite3.connect(path)
    database.execute("UPDATE tiles SET tile_data = ?", (gzip.compress(b"\x1a\x05layer"),))
    database.commit()
    database.close()
    with pytest.raises(BadSource, match=f"tiles of format '{said}'"):
        listed(path)


@pytest.mark.parametrize("metadata", [{}, {"format": "png"}, None], ids=["no format", "png", "no metadata"])
def test_pictures_that_are_compressed_once_more_are_read(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS, metadata)
    database = sqlite3.connect(path)
    for number, picture in database.execute("SELECT rowid, tile_data FROM tiles").fetchall():
        database.execute("UPDATE tiles SET tile_data = ? WHERE rowid = ?", (gzip.compress(picture), number))
    database.commit()
    database.close()
    assert names_of(path) == NAMES
    source = MBTilesSource(path, SourceOptions())
    table = source.list_tiles().table
    found = {table.tile_id[number]: source.read(table.record(number)) for number in range(len(table))}
    source.close()
    assert found == {f"{z}/{x}/{y}": encoded(seed, 32) for seed, (z, x, y) in enumerate(ZXY)}


def test_rows_with_a_null_a_fraction_or_a_word_are_counted_and_left(tmp_path: Path) -> None:
    strange: list[tuple[object, object, object]] = [(ZOOM, None, 5), (ZOOM, 1.5, 5), ("high", 1, 1), (b"\x10", 1, 1)]
    path = write_mbtiles(tmp_path / "a.mbtiles", [*ROWS, *strange], {"format": "png"}, types="")
    assert names_of(path) == NAMES
    assert any("4 rows have no whole number" in note for note in listed(path).notes)


@pytest.mark.parametrize("types", ["", "text", "int", "blob"])
def test_coordinates_stored_as_text_are_listed_and_read(tmp_path: Path, types: str) -> None:
    rows: list[tuple[object, object, object]] = [tuple(str(part) for part in row) for row in ROWS]  # type: ignore[misc]
    source = MBTilesSource(write_mbtiles(tmp_path / "a.mbtiles", rows, {"format": "png"}, types=types), SourceOptions())
    table = source.list_tiles().table
    found = {table.tile_id[number]: source.read(table.record(number)) for number in range(len(table))}
    source.close()
    assert found == {f"{z}/{x}/{y}": encoded(seed, 32) for seed, (z, x, y) in enumerate(ZXY)}


def test_rows_that_repeat_a_tile_are_listed_once(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", [*ROWS, *ROWS[:3]], {"format": "png"})
    assert names_of(path) == NAMES
    assert any("warning: 3 rows repeat a tile" in note for note in listed(path).notes)


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) "


@pytest.mark.parametrize(
    "view",
    [
        f"tiles AS {_ENDLESS} SELECT 16 zoom_level, i tile_column, i tile_row, x'00' tile_data FROM n",
        f"tiles AS {_ENDLESS} SELECT 16 zoom_level, 1 tile_column, 1 tile_row, x'00' tile_data FROM n WHERE i < 0",
        "tiles AS SELECT 16 zoom_level, 1 tile_column, 1 tile_row, zeroblob(1000000000) tile_data",
        f"metadata AS {_ENDLESS} SELECT 'key' || i name, 'value' value FROM n",
        f"metadata AS {_ENDLESS} SELECT 'key' name, 'value' value FROM n WHERE i < 0",
    ],
)
def test_a_view_without_end_ends_in_one_line(tmp_path: Path, view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.tiles.sources.mbtiles._LEAST_STEPS", 2_000_000)
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS, {})
    database = sqlite3.connect(path)
    database.execute(f"DROP TABLE {view.split()[0]}")
    database.execute(f"CREATE VIEW {view}")
    database.commit()
    database.close()
    if "'key' || i" in view:
        assert names_of(path) == NAMES  # what lies behind the first thousands is no metadata
        return
    with pytest.raises(BadSource, match=r"steps of SQLite.*plain tables|too big"):
        listed(path)


def test_a_view_over_deduplicated_pictures_is_within_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.tiles.sources.mbtiles._LEAST_STEPS", 0)
    database = sqlite3.connect(tmp_path / "a.mbtiles")
    database.execute("CREATE TABLE map (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_id TEXT)")
    database.execute("CREATE TABLE images (tile_id TEXT PRIMARY KEY, tile_data BLOB)")
    database.execute("INSERT INTO images VALUES ('sea', ?)", (encoded(0, 32),))
    rows = [(16, 30_000 + x, 40_000 + y, "sea") for x in range(100) for y in range(100)]
    database.executemany("INSERT INTO map VALUES (?, ?, ?, ?)", rows)
    database.execute(
        "CREATE VIEW tiles AS SELECT zoom_level, tile_column, tile_row, tile_data FROM map JOIN images USING (tile_id)"
    )
    database.commit()
    database.close()
    assert len(listed(tmp_path / "a.mbtiles").table) == len(rows)


_AS_NOBODY = """
import os, sys
from pathlib import Path
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.mbtiles import MBTilesSource
source = MBTilesSource(Path(sys.argv[1]), SourceOptions())
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
table = source.list_tiles().table
print(len(table), len(source.read(table.record(0))))
"""


@pytest.fixture
def mount() -> Iterator[Path]:
    """A folder that anybody can come to, unlike those of pytest, to be made read-only by `_list_read_only`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "mount"
        folder.mkdir()
        folder.parent.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def _list_read_only(path: Path) -> subprocess.CompletedProcess[str]:
    """List in a process that may not write the folder, whoever runs the tests."""
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    command = [sys.executable, "-c", _AS_NOBODY, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])


def test_mbtiles_in_wal_mode_are_read_where_nothing_can_be_written(mount: Path) -> None:
    path = write_mbtiles(mount / "a.mbtiles", ROWS, {"format": "png"}, wal=True)
    done = _list_read_only(path)
    assert done.stdout == f"4 {len(encoded(1, 32))}\n", done.stderr
    assert sorted(child.name for child in mount.iterdir()) == ["a.mbtiles"]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_unfinished_changes_that_cannot_be_read_are_said(tmp_path: Path, mount: Path, mode: str) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS * 50, {"format": "png"})
    database = sqlite3.connect(path)
    database.executescript(f"PRAGMA journal_mode={mode}; PRAGMA cache_size=2")
    database.execute("UPDATE tiles SET tile_data = randomblob(3000)")  # more than the cache: on disk half done
    if mode == "WAL":
        database.commit()
    beside = "a.mbtiles-wal" if mode == "WAL" else "a.mbtiles-journal"
    for name in ("a.mbtiles", beside):
        shutil.copy(tmp_path / name, mount / name)
    database.close()
    done = _list_read_only(mount / path.name)
    assert f"has unfinished changes in {beside}" in done.stderr, done.stderr


def test_an_sqlite_file_of_another_kind_is_refused_in_a_line(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.sqlite")
    database.execute("CREATE TABLE places (name text)")
    database.commit()
    database.close()
    with pytest.raises(BadSource, match="no readable MBTiles file: no such table: tiles"):
        MBTilesSource(tmp_path / "a.sqlite", SourceOptions()).list_tiles()


def write_directory(path: Path, directory: bytes, max_zoom: int = 15, **header: int) -> Path:
    """An archive of nothing but a header and a root directory."""
    fields = {
        "version": 3, "root_offset": 127, "root_length": len(directory), "metadata_offset": 0, "metadata_length": 0,
        "leaf_directory_offset": 127, "leaf_directory_length": 0, "tile_data_offset": 127, "tile_data_length": 0,
        "addressed_tiles_count": 1, "tile_entries_count": 1, "tile_contents_count": 1, "clustered": True,
        "internal_compression": Compression.GZIP, "tile_compression": Compression.NONE, "tile_type": TileType.PNG,
        "min_zoom": 0, "max_zoom": max_zoom, "center_zoom": 0,
        **dict.fromkeys(("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7", "center_lon_e7", "center_lat_e7"), 0),
        **header,
    }  # fmt: skip
    path.write_bytes(serialize_header(fields) + directory)
    return path


def run_of(tile_id: int, run: int) -> bytes:
    data: bytes = serialize_directory([Entry(tile_id, 0, 10, run)])
    return data


@pytest.mark.parametrize(
    ("directory", "max_zoom", "message"),
    [
        (run_of(0, 1 << 40), 15, r"run of 1,099,511,627,776 tiles from number 0, beyond zoom 15"),
        (run_of(0, 1 << 62), 31, "beyond zoom 2"),
        (run_of(1 << 63, 1), 15, "cannot be read|63 bits"),
        (run_of((1 << 63) - 2, 100), 15, "cannot be read|63 bits"),
        (run_of(0, 300_000_000), 15, r"claims 300,000,000 tiles in 1 runs of equal ones; at most 300,100"),
        (serialize_directory([Entry(0, 0, 60, 0)]), 15, "leads back to itself"),
        (gzip.compress(b"\0" * (40 << 20)), 15, "unpacks to a part of more than"),
        (b"", 15, "cannot be read"),
    ],
    ids=["run", "long run", "huge id", "over the edge", "all of zoom 14", "circle", "bomb", "empty"],
)
def test_a_directory_that_claims_the_absurd_is_refused_in_a_line(
    tmp_path: Path, directory: bytes, max_zoom: int, message: str
) -> None:
    with pytest.raises(BadSource, match=message) as caught:
        listed(write_directory(tmp_path / "a.pmtiles", directory, max_zoom))
    assert "\n" not in str(caught.value)


def test_a_length_beyond_the_end_allocates_nothing(tmp_path: Path) -> None:
    path = write_directory(tmp_path / "a.pmtiles", run_of(0, 1), root_length=1 << 50)
    with pytest.raises(BadSource, match="beyond its end"):
        listed(path)


def test_a_run_is_cut_to_the_zoom_asked_for(tmp_path: Path) -> None:
    path = write_directory(tmp_path / "a.pmtiles", run_of(0, 1 << 40))
    assert names_of(path, zoom=1) == ["1/0/0", "1/0/1", "1/1/0", "1/1/1"]


def test_a_real_run_over_several_zooms_is_listed(tmp_path: Path) -> None:
    path = write_directory(tmp_path / "a.pmtiles", run_of(0, 85), max_zoom=3)  # zooms 0 to 3, all alike
    assert len(listed(path).table) == 64
    source = open_source(path)
    source.close()
