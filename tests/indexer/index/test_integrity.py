import os
import threading

import numpy as np
import pytest

from indexer.common.errors import IndexDamaged
from indexer.index.integrity import BLOCK_BYTES, BackgroundCheck, BlockCheck, write_block_digests


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.npy"
    path.write_bytes(np.random.default_rng(0).bytes(2 * BLOCK_BYTES + 10))
    write_block_digests(path, tmp_path / "digests")
    return path


def spoil(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def require(check, start, stop):
    check.require(np.array([start], np.int64), np.array([stop], np.int64))


def test_each_block_has_a_digest_and_is_checked_once(file):
    digests = file.with_name("digests")
    assert len(digests.read_bytes()) == 3 * 32
    check = BlockCheck(file, digests)
    require(check, 0, 5)
    assert not check.complete
    assert len(list(check.steps())) == 2
    require(check, BLOCK_BYTES, 2 * BLOCK_BYTES + 10)
    assert check.complete


def test_a_changed_byte_is_found_where_it_is_used_and_not_elsewhere(file):
    spoil(file, BLOCK_BYTES + 3)
    check = BlockCheck(file, file.with_name("digests"))
    require(check, 0, BLOCK_BYTES)
    require(check, 2 * BLOCK_BYTES, 2 * BLOCK_BYTES + 1)
    with pytest.raises(IndexDamaged, match="between byte 1,048,576 and 2,097,152"):
        require(check, BLOCK_BYTES - 1, BLOCK_BYTES + 1)


def test_a_file_that_was_cut_meanwhile_is_found_and_ends_nobody(file):
    check = BlockCheck(file, file.with_name("digests"))
    os.truncate(file, BLOCK_BYTES + 3)
    require(check, 0, BLOCK_BYTES)
    for block in (1, 2):
        with pytest.raises(IndexDamaged, match="differs from what was written"):
            require(check, block * BLOCK_BYTES, block * BLOCK_BYTES + 1)


def test_digests_of_another_file_are_refused(file):
    digests = file.with_name("digests")
    digests.write_bytes(digests.read_bytes()[:-32])
    with pytest.raises(IndexDamaged, match="holds 2 digests for the 3 blocks"):
        BlockCheck(file, digests)


def test_a_check_in_the_background_tells_at_the_next_use(file):
    spoil(file, 2 * BLOCK_BYTES + 1)
    check = BlockCheck(file, file.with_name("digests"))
    behind = BackgroundCheck({"vectors": check.steps()})
    behind.wait()
    with pytest.raises(IndexDamaged, match="restore it or rebuild"):
        behind.require()
    behind.stop()
    sound = BackgroundCheck({})
    sound.wait()
    sound.require()


def test_a_use_waits_for_the_files_that_it_needs_and_for_no_others():
    slow, done = threading.Event(), []
    behind = BackgroundCheck({"first": [lambda: done.append("first")], "second": [lambda: slow.wait(10) and None]})
    behind.require("first")
    behind.require()
    assert done == ["first"]
    slow.set()
    behind.require("second", "unknown")
    behind.stop()


def test_nobody_waits_for_a_check_that_was_given_up():
    slow = threading.Event()
    behind = BackgroundCheck({"first": [lambda: slow.wait(10) and None] * 2, "second": []})
    threading.Timer(0.1, slow.set).start()
    behind.stop()
    with pytest.raises(IndexDamaged, match="closed before"):
        behind.require("second")
