import os
import shutil

import pytest

from indexer.common.errors import IndexDamaged
from service.index_guard import IndexGuard


@pytest.fixture
def folder(index_folder, tmp_path):
    return shutil.copytree(index_folder, tmp_path / "index")


def test_untouched_index_passes(folder):
    guard = IndexGuard(folder)
    guard.require()
    guard.close()


def test_vectors_cut_short_are_noticed(folder):
    guard = IndexGuard(folder)
    os.truncate(folder / "embeddings.npy", 200)
    with pytest.raises(IndexDamaged, match=r"embeddings.npy was changed"):
        guard.require()
    guard.close()


def test_bytes_changed_in_place_are_noticed(folder):
    guard = IndexGuard(folder)
    with (folder / "embeddings.npy").open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"0000")
    with pytest.raises(IndexDamaged):
        guard.require()
    guard.close()


def test_index_that_is_deleted_or_replaced_by_another_stays_as_it_was_opened(folder, tmp_path):
    guard = IndexGuard(folder)
    folder.rename(tmp_path / "old")
    shutil.copytree(tmp_path / "old", folder)
    guard.require()
    shutil.rmtree(tmp_path / "old")
    shutil.rmtree(folder)
    guard.require()
    guard.close()
