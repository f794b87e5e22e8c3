import os
import shutil
import subprocess
import sys

import pytest

from indexer.common.errors import IndexDamaged
from indexer.lifecycle.change import changing
from indexer.lifecycle.compact import compact_index
from service.index_guard import IndexGuard


@pytest.fixture
def folder(index_folder, tmp_path):
    return shutil.copytree(index_folder, tmp_path / "index")


def read(guard) -> None:
    with guard.reading():
        pass


def test_untouched_index_passes(folder):
    guard = IndexGuard(folder)
    read(guard)
    guard.close()


def test_vectors_cut_short_are_noticed(folder):
    guard = IndexGuard(folder)
    os.truncate(folder / "embeddings.npy", 200)
    with pytest.raises(IndexDamaged, match=r"embeddings.npy was changed"):
        read(guard)
    guard.close()


def test_bytes_changed_in_place_are_noticed(folder):
    guard = IndexGuard(folder)
    with (folder / "embeddings.npy").open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"0000")
    with pytest.raises(IndexDamaged):
        read(guard)
    guard.close()


def test_index_that_is_deleted_or_replaced_by_another_stays_as_it_was_opened(folder, tmp_path):
    guard = IndexGuard(folder)
    folder.rename(tmp_path / "old")
    shutil.copytree(tmp_path / "old", folder)
    read(guard)
    shutil.rmtree(tmp_path / "old")
    shutil.rmtree(folder)
    read(guard)
    guard.close()


def test_an_index_that_is_changed_beside_the_service_is_no_harm(folder):
    unfinished = folder / "segments" / ".000001.partial"
    unfinished.mkdir(parents=True)
    (unfinished / "shard-000000.npy").write_bytes(b"x")
    guard = IndexGuard(folder)
    (unfinished / "shard-000000.npy").write_bytes(b"xyz")
    with changing(folder) as change:
        removed = change.removed()
        removed[0][0] = True
        change.publish(removed)
    with changing(folder, verify=True) as change:
        compact_index(change)
    assert not (folder / "embeddings.npy").exists()
    read(guard)
    guard.close()


_CUT = "import os, sys; os.truncate(sys.argv[1], 200)"


def test_whoever_cuts_a_file_waits_until_nobody_reads_and_is_noticed_meanwhile(folder):
    vectors = folder / "embeddings.npy"
    guard = IndexGuard(folder)
    if not all(file.leased for file in guard._files):
        guard.close()
        pytest.skip("this file system grants no leases: a cut is noticed before the next batch only")
    size = vectors.stat().st_size
    with guard.reading():
        cutting = subprocess.Popen([sys.executable, "-c", _CUT, str(vectors)])
        with pytest.raises(subprocess.TimeoutExpired):
            cutting.wait(2.0)
        assert vectors.stat().st_size == size
        with pytest.raises(IndexDamaged, match=r"embeddings.npy was changed"):
            read(guard)
    assert cutting.wait(30) == 0
    assert vectors.stat().st_size == 200
    guard.close()


def test_a_closed_guard_holds_nobody_up(folder):
    IndexGuard(folder).close()
    os.truncate(folder / "embeddings.npy", 200)
