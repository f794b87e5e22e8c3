"""Archives and folders with quirks that other programs stumbled over, and the tiles that are in them."""

import sqlite3
from pathlib import Path

import pytest
from pmtiles.tile import Compression, TileType

from indexer.common.errors import BadSource
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from model.common.images import decode_image
from tests.indexer.tiles.sources.archives import write_pmtiles
from tests.indexer.tiny import encoded
from tests.inputs.making import ZXY, flipped, listed, names_of, write_folder, write_mbtiles, write_tile

NAMES = sorted(f"{z}/{x}/{y}" for z, x, y in ZXY)
ROWS: list[tuple[object, object, object]] = [(z, x, flipped(z, y)) for z, x, y in ZXY]
CLUSTERED = 96
"""Where the header of PMTiles says whether tiles lie in their order."""


def pictures_of(path: Path) -> dict[str, bytes]:
    """Every tile of a source by its name, as it is stored."""
    source = open_source(path, SourceOptions())
    table = source.list_tiles().table
    read = {str(table.tile_id[row]): source.read(table.record(row)) for row in range(len(table))}
    source.close()
    return {name: data for name, data in read.items() if isinstance(data, bytes)}


@pytest.mark.parametrize("scheme", [None, "tms", "xyz"])
def test_rows_of_mbtiles_count_from_the_south_whatever_is_said_of_them(tmp_path: Path, scheme: str | None) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS, {"format": "png"} | ({"scheme": scheme} if scheme else {}))
    assert pictures_of(path) == {f"{z}/{x}/{y}": encoded(seed, 32) for seed, (z, x, y) in enumerate(ZXY)}


def test_tiles_that_are_a_view_over_deduplicated_pictures_are_read(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.mbtiles")
    database.executescript(
        "CREATE TABLE metadata (name text, value text);"
        "CREATE TABLE map (zoom_level int, tile_column int, tile_row int, tile_id text);"
        "CREATE TABLE images (tile_id text, tile_data blob);"
        "CREATE VIEW tiles AS SELECT map.zoom_level AS zoom_level, map.tile_column AS tile_column, "
        "map.tile_row AS tile_row, images.tile_data AS tile_data FROM map JOIN images ON images.tile_id = map.tile_id;"
    )
    database.execute("INSERT INTO images VALUES ('sea', ?)", (encoded(5, 32),))
    database.executemany("INSERT INTO map VALUES (?, ?, ?, 'sea')", ROWS)
    database.commit()
    database.close()
    assert pictures_of(tmp_path / "a.mbtiles") == dict.fromkeys(NAMES, encoded(5, 32))


def test_pmtiles_of_webp_with_512_pixels_a_side_are_one_tile_each(tmp_path: Path) -> None:
    tiles = {zxy: encoded(seed, 512, "WEBP") for seed, zxy in enumerate(ZXY)}
    path = write_pmtiles(tmp_path / "a.pmtiles", tiles, TileType.WEBP)
    assert names_of(path) == NAMES
    assert {decode_image(data).size for data in pictures_of(path).values()} == {(512, 512)}


@pytest.mark.parametrize("said", [Compression.UNKNOWN, Compression.GZIP, Compression.NONE])
@pytest.mark.parametrize("clustered", [0, 1])
def test_pmtiles_are_read_whatever_the_header_says_of_them(tmp_path: Path, said: Compression, clustered: int) -> None:
    tiles = {zxy: encoded(seed, 32) for seed, zxy in enumerate(ZXY)}
    path = write_pmtiles(tmp_path / "a.pmtiles", tiles, compression=said)
    data = bytearray(path.read_bytes())
    data[CLUSTERED] = clustered
    path.write_bytes(data)
    assert pictures_of(path) == {f"{z}/{x}/{y}": encoded(seed, 32) for seed, (z, x, y) in enumerate(ZXY)}


def test_equal_pictures_that_pmtiles_keep_as_one_run_are_tiles_of_their_own(tmp_path: Path) -> None:
    assert pictures_of(write_pmtiles(tmp_path / "a.pmtiles", dict.fromkeys(ZXY, encoded(1, 32)))) == dict.fromkeys(
        NAMES, encoded(1, 32)
    )


@pytest.mark.parametrize("name", ["16/034/322/022/949.png", "034/322/022/949.png", "L16/R34322.png"])
def test_layouts_of_other_caches_are_refused_with_the_first_name(tmp_path: Path, name: str) -> None:
    write_tile(tmp_path / "tiles" / name)
    with pytest.raises(BadSource, match=rf"holds 1 picture, none named z/x/y\.png .*the first is {name}"):
        listed(tmp_path / "tiles")


def test_an_ending_in_capitals_and_one_of_another_format_are_read_by_the_content(tmp_path: Path) -> None:
    assert names_of(write_folder(tmp_path / "a", lambda z, x, y: f"{z}/{x}/{y}.PNG")) == NAMES
    other = write_folder(tmp_path / "b", lambda z, x, y: f"{z}/{x}/{y}.jpg")
    assert pictures_of(other) == {f"{z}/{x}/{y}": encoded(seed, 32) for seed, (z, x, y) in enumerate(ZXY)}
    assert all(decode_image(data).size == (32, 32) for data in pictures_of(other).values())


def test_names_with_spaces_commas_and_quotes_are_kept_as_they_are(tmp_path: Path) -> None:
    write_tile(tmp_path / "a b, c.png")
    write_tile(tmp_path / "q'u.png", 1)
    (tmp_path / "a.csv").write_text(
        'tile_id,path,west,south,east,north\n"x, 1","a b, c.png",8,47,8.001,47.001\n'
        '" y","q\'u.png",8.1,47,8.101,47.001\n'
    )
    assert pictures_of(tmp_path / "a.csv") == {"x, 1": encoded(0, 32), " y": encoded(1, 32)}
