import os
import sys
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BuildConflict
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.stamps import (
    SourceFiles,
    combined,
    content_limit,
    file_stamp,
    raster_members,
    state_of,
)
from tests.indexer.tiny import make_tiles


def stamp(path: Path, whole_bytes: int = 1 << 20) -> int:
    return file_stamp(path, state_of(path), whole_bytes)


def overwrite(path: Path, data: bytes) -> None:
    """Other content, with the size and the time that were."""
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_content_counts_even_where_size_and_time_stay(tmp_path):
    path = tmp_path / "tile.png"
    path.write_bytes(b"one")
    before, without = stamp(path), stamp(path, 0)
    overwrite(path, b"two")
    assert stamp(path) != before
    assert stamp(path, 0) == without  # of too many files, size and time must do


def test_of_large_files_samples_count(tmp_path):
    path = tmp_path / "large.tif"
    path.write_bytes(bytes(1 << 20))
    before = stamp(path, 1)
    overwrite(path, bytes((1 << 20) - 1) + b"x")
    assert stamp(path, 1) != before


def test_how_much_content_counts_follows_from_the_size_of_the_source():
    assert content_limit([(1 << 20, 1, 1, 1)] * 64, 64, whole=False) == 64 << 20
    assert content_limit([(1 << 20, 1, 1, 1)] * 65, 65, whole=False) == 1  # samples
    assert content_limit([(1 << 20, 1, 1, 1)] * 1001, 1001, whole=False) == 0  # too many files even for those
    assert content_limit([(1 << 20, 1, 1, 1)] * 1001, 1001, whole=True) == sys.maxsize


def test_no_file_has_no_stamp_and_order_counts(tmp_path):
    assert (state_of(tmp_path / "none"), stamp(tmp_path / "none")) == ((0, 0, 0, 0), 0)
    assert combined([1, 2]) != combined([2, 1])


def test_a_raster_counts_with_its_sidecars_there_or_not(tmp_path):
    found = raster_members(tmp_path / "map.tif")
    assert {path.name for path in found} >= {"map.tif", "map.tif.aux.xml", "map.tif.ovr", "map.tfw", "map.prj"}


@pytest.mark.parametrize(
    ("picture", "beside"),
    [
        (
            "IMG_PHR1A_PMS_001_R1C2.TIF",
            {"RPC_PHR1A_PMS_001.XML", "RPC_PHR1A_PMS_001_R1C2.XML", "DIM_PHR1A_PMS_001.XML"},
        ),
        ("IMG-01-ALAV2A278773000-O1B2R_U.tif", {"RPC-01-ALAV2A278773000-O1B2R_U.txt"}),
    ],
    ids=["Pleiades", "ALOS"],
)
def test_a_picture_of_a_satellite_counts_with_the_coefficients_of_its_product(tmp_path, picture, beside):
    assert {path.name for path in raster_members(tmp_path / picture)} >= beside


def test_a_change_between_the_listing_and_the_stamps_is_noticed(tmp_path):
    root = make_tiles(tmp_path / "tiles", 2, 2)
    source = open_source(root)
    table = source.list_tiles().table
    (root / table.source[2]).write_bytes(b"other")
    files = SourceFiles(root, table, source)
    files.stamped()
    with pytest.raises(BuildConflict, match=rf"{table.source[2]} changed while"):
        files.require_unchanged()


def test_tiles_are_stamped_and_a_change_meanwhile_is_noticed(tmp_path):
    root = make_tiles(tmp_path / "tiles", 2, 2)
    source = open_source(root)
    files = SourceFiles(root, source.list_tiles().table)
    table = files.stamped()
    assert len(np.unique(table.stamp)) == 4
    files.require_unchanged()
    (root / table.source[2]).write_bytes(b"other")
    with pytest.raises(BuildConflict, match="changed while the tiles were being embedded"):
        files.require_unchanged()
