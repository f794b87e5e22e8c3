"""A tile's stamp changes when a file behind it does: by size, by time, and by content though both are kept."""

import os
from dataclasses import replace

import numpy as np
import pytest

from indexer.common.errors import BuildConflict
from indexer.tiles.sources.stamps import SourceFiles, combined, file_stamp, raster_members, state_of
from tests.indexer.tiny import table_of_boxes
from tests.inputs.making import write_tile

WHOLE = 1 << 20


def tiles_of(*names):
    edges = np.zeros(len(names))
    return replace(table_of_boxes(edges, edges, edges + 1, edges + 1), source=np.array(names, object))


def put(path, data, time_ns=1_700_000_000_000_000_000):
    path.write_bytes(data)
    os.utime(path, ns=(time_ns, time_ns))
    return path


def test_there_is_no_state_and_no_stamp_of_what_is_not_there(tmp_path):
    assert state_of(tmp_path / "nowhere") == (0, 0)
    assert file_stamp(tmp_path / "nowhere", (0, 0), WHOLE) == 0


@pytest.mark.parametrize("change", [{"data": b"axc"}, {"data": b"abcd"}, {"time_ns": 1_700_000_000_000_000_001}])
def test_content_size_and_time_each_change_the_stamp(tmp_path, change):
    path = put(tmp_path / "a.png", b"abc")
    before = file_stamp(path, state_of(path), WHOLE)
    assert file_stamp(path, state_of(path), WHOLE) == before
    put(path, **{"data": b"abc", **change})
    assert file_stamp(path, state_of(path), WHOLE) != before


def test_of_a_large_file_samples_of_the_content_count_and_of_many_files_none(tmp_path):
    path = put(tmp_path / "large.tif", bytes(1_000_000))
    sampled, untouched = file_stamp(path, state_of(path), 1), file_stamp(path, state_of(path), 0)
    put(path, b"\1" + bytes(999_999))
    assert file_stamp(path, state_of(path), 1) != sampled
    assert file_stamp(path, state_of(path), 0) == untouched


def test_stamps_together_depend_on_their_order():
    assert combined([1, 2]) == combined(iter([1, 2])) != combined([2, 1])
    assert -(2**63) <= combined([1]) < 2**63


def test_every_tile_has_the_stamp_of_its_file(tmp_path):
    for seed, name in enumerate(("a.png", "b.png")):
        write_tile(tmp_path / name, seed)
    stamps = SourceFiles(tmp_path, tiles_of("a.png", "b.png", "a.png")).stamped().stamp.tolist()
    assert stamps[0] == stamps[2] != stamps[1]
    write_tile(tmp_path / "b.png", 7)
    again = SourceFiles(tmp_path, tiles_of("a.png", "b.png", "a.png")).stamped().stamp.tolist()
    assert (again[0], again[1] != stamps[1]) == (stamps[0], True)


def test_a_databases_log_counts_to_it(tmp_path):
    put(tmp_path / "a.mbtiles", b"data")
    before = SourceFiles(tmp_path, tiles_of("a.mbtiles")).stamped().stamp.tolist()
    put(tmp_path / "a.mbtiles-wal", b"more")
    assert SourceFiles(tmp_path, tiles_of("a.mbtiles")).stamped().stamp.tolist() != before


def test_a_source_that_stamps_its_tiles_itself_is_left_to_do_so(tmp_path):
    tiles, path = tiles_of("a.tif"), put(tmp_path / "a.tif", b"abc")
    files = SourceFiles(tmp_path, tiles, {path: state_of(path)})
    assert files.stamped() is tiles
    files.require_unchanged()


def test_a_file_that_changes_meanwhile_is_named(tmp_path):
    for name in ("a.png", "b.png"):
        put(tmp_path / name, b"abc")
    files = SourceFiles(tmp_path, tiles_of("a.png", "b.png"))
    files.require_unchanged()
    put(tmp_path / "a.png", b"abcd")
    with pytest.raises(BuildConflict, match=r"a.png changed while the tiles were being embedded"):
        files.require_unchanged()
    (tmp_path / "b.png").unlink()
    with pytest.raises(BuildConflict, match=r"a.png and 1 more changed"):
        files.require_unchanged()


def test_sidecars_of_a_raster_are_members_of_it(tmp_path):
    members = raster_members(tmp_path / "ortho.tif")
    assert members[0] == tmp_path / "ortho.tif"
    assert {path.name for path in members} >= {"ortho.tif.aux.xml", "ortho.tif.ovr", "ortho.tfw", "ortho_rpc.txt"}
    assert len(set(members)) == len(members)
