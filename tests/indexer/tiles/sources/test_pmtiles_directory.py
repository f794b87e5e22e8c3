import os

import numpy as np
import pytest
from pmtiles.tile import deserialize_header, zxy_to_tileid

from indexer.common.errors import BadSource
from indexer.tiles.sources.pmtiles_directory import first_key, read_directory, tile_ids
from tests.indexer.tiles.sources.archives import write_pmtiles


def test_ids_of_a_zoom_begin_behind_all_lower_ones():
    assert [first_key(zoom) for zoom in range(4)] == [0, 1, 5, 21]
    assert first_key(15) == zxy_to_tileid(15, 0, 0)


def test_runs_are_drawn_apart_in_ascending_order():
    rows = np.array([[10, 3, 500, 7], [5, 1, 400, 6]], np.int64)
    keys, offsets, lengths = tile_ids(rows, 2, None)
    assert keys.tolist() == [5, 10, 11, 12]
    assert offsets.tolist() == [400, 500, 500, 500]
    assert lengths.tolist() == [6, 7, 7, 7]


def test_one_zoom_is_cut_out_of_a_run():
    keys, _, _ = tile_ids(np.array([[3, 10, 0, 1]], np.int64), 2, (1,))
    assert keys.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([20, 5, 0, 1], "beyond zoom 2, the deepest that the header gives"),
        ([-1, 5, 0, 1], "beyond 63 bits"),
    ],
)
def test_a_run_that_cannot_be_is_refused(row, reason):
    with pytest.raises(BadSource, match=reason):
        tile_ids(np.array([row], np.int64), 2, None)


def test_more_tiles_than_fit_are_refused_before_they_are_listed():
    with pytest.raises(BadSource, match=r"claims 536,870,912 tiles in 1 runs .*; at most 300,100 can be"):
        tile_ids(np.array([[first_key(15), 1 << 29, 0, 1]], np.int64), 15, None)


def test_the_directory_of_an_archive_names_each_tile(tmp_path):
    tiles = {(2, 1, 1): b"one", (2, 3, 0): b"other", (1, 0, 0): b"parent"}
    path = write_pmtiles(tmp_path / "a.pmtiles", tiles)
    data = path.read_bytes()
    header = deserialize_header(data[:127])
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            return os.pread(file.fileno(), length, offset)

        rows = read_directory(read, len(data), header)
        assert sorted(rows[:, 0].tolist()) == sorted(zxy_to_tileid(*tile) for tile in tiles)
        with pytest.raises(BadSource, match="beyond its end at 130; is it complete"):
            read_directory(read, 130, header)
        wrong = header | {"root_length": (16 << 20) + 1}
        with pytest.raises(BadSource, match="at most 16,777,216 are read"):
            read_directory(read, 1 << 40, wrong)
    assert os.path.getsize(path) == len(data)  # noqa: PTH202


def test_runs_across_zooms_give_the_tiles_of_those_asked_for() -> None:
    rows = np.array([[0, 30, 7, 1]], np.int64)
    keys, offsets, _ = tile_ids(rows, 3, (0, 2))
    assert keys.tolist() == [0, *range(first_key(2), first_key(3))]
    assert set(offsets.tolist()) == {7}
