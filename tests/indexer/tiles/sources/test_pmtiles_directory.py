"""The directory of an archive: runs drawn apart, leaves followed, and nothing believed that cannot be."""

import gzip
import os

import numpy as np
import pytest
from pmtiles.tile import Compression, Entry, serialize_directory, zxy_to_tileid

from indexer.common.errors import BadSource
from indexer.tiles.sources.pmtiles_directory import first_key, read_directory, tile_ids


def rows(*entries):
    return np.array(entries, np.int64)


def directory(*entries):
    return serialize_directory([Entry(tile, offset, length, run) for tile, run, offset, length in entries])


def read(tmp_path, parts, **header):
    """What the directories give that lie one after another, the first of them the root."""
    path = tmp_path / "parts"
    path.write_bytes(b"".join(parts))
    about = {
        "root_offset": 0,
        "root_length": len(parts[0]),
        "leaf_directory_offset": len(parts[0]),
        "internal_compression": Compression.GZIP,
    }
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return read_directory(descriptor, path.stat().st_size, about | header).tolist()
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("zoom", [0, 1, 5, 18])
def test_the_first_tile_of_a_zoom_is_the_formats(zoom):
    assert first_key(zoom) == zxy_to_tileid(zoom, 0, 0)


def test_leaves_are_followed_and_uncompressed_directories_read(tmp_path):
    leaf = directory((5, 2, 100, 10), (9, 1, 110, 7))
    root = directory((1, 1, 0, 50), (5, 0, 0, len(leaf)))
    assert read(tmp_path, [root, leaf]) == [[1, 1, 0, 50], [5, 2, 100, 10], [9, 1, 110, 7]]
    plain = gzip.decompress(directory((1, 1, 0, 50)))
    assert read(tmp_path, [plain], internal_compression=Compression.NONE) == [[1, 1, 0, 50]]


def test_a_directory_that_leads_back_to_itself_or_beyond_the_end_is_refused(tmp_path):
    with pytest.raises(BadSource, match="leads back to itself"):
        read(tmp_path, [directory((5, 0, 0, 20))], leaf_directory_offset=0)
    with pytest.raises(BadSource, match="beyond its end"):
        read(tmp_path, [directory((5, 0, 0, 1_000))])


def test_a_directory_that_unpacks_to_a_flood_is_refused(tmp_path):
    with pytest.raises(BadSource, match="unpacks to a part of more than 16,777,216 bytes"):
        read(tmp_path, [gzip.compress(bytes(20_000_000))])


def test_runs_are_drawn_apart_and_sorted():
    keys, offsets, lengths = tile_ids(rows((9, 1, 110, 7), (5, 3, 100, 10)), 2, None)
    assert keys.tolist() == [5, 6, 7, 9]
    assert offsets.tolist() == [100, 100, 100, 110]
    assert lengths.tolist() == [10, 10, 10, 7]


def test_one_zoom_cuts_the_runs_that_reach_over_it():
    keys, _, _ = tile_ids(rows((3, 5, 0, 1)), 2, 1)  # tiles 1 to 4 are those of zoom 1
    assert keys.tolist() == [3, 4]


def test_a_run_beyond_the_deepest_zoom_or_of_too_many_tiles_is_refused():
    with pytest.raises(BadSource, match="a run of 1,000 tiles from number 5, beyond zoom 2"):
        tile_ids(rows((5, 1_000, 0, 1)), 2, None)
    with pytest.raises(BadSource, match="claims 60,000,000 tiles"):
        tile_ids(rows((first_key(14), 60_000_000, 0, 1)), 14, None)
    with pytest.raises(BadSource, match="beyond 63 bits"):
        tile_ids(rows((-5, 1, 0, 1)), 2, None)
