import gzip
from pathlib import Path

import pytest
from pmtiles.tile import Compression, TileType

from indexer.common.errors import BadSource
from indexer.tiles.sources.pmtiles import PMTilesSource
from indexer.tiles.sources.source import SourceOptions
from model.common.errors import BadImage
from tests.indexer.tiles.sources.archives import write_pmtiles
from tests.indexer.tiny import encoded

TILES = {(15, 17_000 + x, 11_000 + y): encoded(10 * x + y) for x in range(3) for y in range(2)}
SEA = {(15, 20_000, 11_000 + y): encoded(99) for y in range(3)}  # repeated tiles are stored once


def test_every_tile_is_listed_and_read(tmp_path: Path) -> None:
    tiles = TILES | SEA | {(3, 1, 2): encoded(7)}
    source = PMTilesSource(write_pmtiles(tmp_path / "a.pmtiles", tiles), SourceOptions())
    table = source.list_tiles().table
    found = {(tile.z, tile.x, tile.y): source.read(tile) for tile in map(table.record, range(len(table)))}
    assert found == TILES | SEA
    assert table.size_bytes.tolist() == [len(found[tuple(row)]) for row in zip(table.z, table.x, table.y, strict=True)]
    source.close()


def test_an_archive_of_many_leaf_directories_is_read(tmp_path: Path) -> None:
    tiles = {(12, x, y): b"%d-%d" % (x, y) for x in range(150) for y in range(150)}
    source = PMTilesSource(write_pmtiles(tmp_path / "a.pmtiles", tiles), SourceOptions())
    table = source.list_tiles().table
    assert len(table) == len(tiles)
    assert source.read(table.record(12_345)) == tiles[12, int(table.x[12_345]), int(table.y[12_345])]
    source.close()


def test_tiles_of_a_kind_that_is_not_said_are_read_where_they_are_pictures(tmp_path: Path) -> None:
    source = PMTilesSource(write_pmtiles(tmp_path / "a.pmtiles", TILES, TileType.UNKNOWN), SourceOptions())
    listing = source.list_tiles()
    assert len(listing.table) == len(TILES)
    assert listing.notes == ["the header does not say what the tiles are; the pictures say it themselves"]
    source.close()
    vectors = write_pmtiles(tmp_path / "b.pmtiles", dict.fromkeys(TILES, b"\x1avector"), TileType.UNKNOWN)
    with pytest.raises(BadSource, match=r"does not say what its tiles are, and tile 15/.* is no picture \(it starts"):
        PMTilesSource(vectors, SourceOptions()).list_tiles()


@pytest.mark.parametrize("length", [8, 100, 126])
def test_a_header_that_is_cut_off_is_said_to_be(tmp_path: Path, length: int) -> None:
    path = write_pmtiles(tmp_path / "a.pmtiles", TILES)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(BadSource, match=f"ends after {length} bytes, within its header; fetch it again"):
        PMTilesSource(path, SourceOptions())


def test_vector_tiles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="holds MVT tiles"):
        PMTilesSource(write_pmtiles(tmp_path / "a.pmtiles", TILES, TileType.MVT), SourceOptions())


def test_a_tile_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    source = PMTilesSource(write_pmtiles(tmp_path / "a.pmtiles", TILES), SourceOptions())
    there = source.list_tiles().table.record(0)
    source_without = PMTilesSource(write_pmtiles(tmp_path / "b.pmtiles", SEA), SourceOptions())
    with pytest.raises(BadImage, match="does not hold tile"):
        source_without.read(there)
    source.close()
    source_without.close()


def test_a_truncated_archive_names_the_tiles_beyond_its_end(tmp_path: Path) -> None:
    path = write_pmtiles(tmp_path / "a.pmtiles", TILES)
    path.write_bytes(path.read_bytes()[:-20])
    source = PMTilesSource(path, SourceOptions())
    last = source.list_tiles().table.record(len(TILES) - 1)
    with pytest.raises(BadImage, match="beyond the end"):
        source.read(last)
    source.close()


def test_a_compressed_tile_is_unpacked_and_a_damaged_one_named(tmp_path: Path) -> None:
    whole = gzip.compress(b"picture", mtime=0)
    broken = {1: whole[:-9], 3: whole[:12] + bytes([255]) * 8}  # cut off, garbled
    tiles = {(15, x, 0): data for x, data in {0: whole, 2: b"not packed", **broken}.items()}
    source = PMTilesSource(write_pmtiles(tmp_path / "a.pmtiles", tiles, compression=Compression.GZIP), SourceOptions())
    records = {tile.x: tile for tile in map(source.list_tiles().table.record, range(len(tiles)))}
    assert source.read(records[0]) == b"picture"
    assert source.read(records[2]) == b"not packed"  # the header is not right about every tile
    for x in broken:
        with pytest.raises(BadImage, match=f"tile 15/{x}/0 of .* cannot be decompressed"):
            source.read(records[x])
    source.close()


@pytest.mark.parametrize("length", [3, 100, 140])
def test_a_file_cut_in_its_head_is_refused(tmp_path: Path, length: int) -> None:
    path = write_pmtiles(tmp_path / "a.pmtiles", TILES)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(BadSource, match=r"a\.pmtiles"):
        PMTilesSource(path, SourceOptions()).list_tiles()
