"""Blocks of a large file are proved when they are used: a changed one is named, and others are not held up."""

import threading

import numpy as np
import pytest

from indexer.common.errors import IndexDamaged
from indexer.index.integrity import BLOCK_BYTES, BackgroundCheck, BlockCheck, write_block_digests

BLOCKS, REST = 3, 1_000


@pytest.fixture
def written(tmp_path):
    """A file of three blocks and a rest, and the digests of its blocks."""
    path, digests = tmp_path / "vectors.npy", tmp_path / "vectors.blocks"
    path.write_bytes(np.random.default_rng(0).bytes(BLOCKS * BLOCK_BYTES + REST))
    write_block_digests(path, digests)
    return path, digests


def flip(path, position):
    with path.open("r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def runs(*pairs):
    return tuple(np.array(pairs, np.int64).T)


def test_a_digest_is_kept_of_every_block_and_of_the_rest(written):
    _, digests = written
    assert digests.stat().st_size == 32 * (BLOCKS + 1)


def test_a_whole_file_is_right(written):
    check = BlockCheck(*written)
    assert not check.complete
    check.require(*runs((0, BLOCKS * BLOCK_BYTES + REST)))
    assert check.complete


def test_only_blocks_that_are_used_are_looked_at(written):
    flip(written[0], BLOCK_BYTES + 5)
    check = BlockCheck(*written)
    check.require(*runs((0, BLOCK_BYTES), (2 * BLOCK_BYTES, 2 * BLOCK_BYTES + 1)))
    with pytest.raises(IndexDamaged, match=r"vectors.npy differs .* between byte 1,048,576 and 2,097,152"):
        check.require(*runs((BLOCK_BYTES - 1, BLOCK_BYTES + 1)))
    assert not check.complete


def test_a_change_in_the_last_byte_is_found(written):
    flip(written[0], BLOCKS * BLOCK_BYTES + REST - 1)
    with pytest.raises(IndexDamaged, match="and 3,146,728; restore it or rebuild the index"):
        BlockCheck(*written).require(*runs((BLOCKS * BLOCK_BYTES, BLOCKS * BLOCK_BYTES + REST)))


def test_a_block_that_was_right_once_is_not_read_again(written):
    check = BlockCheck(*written)
    check.require(*runs((0, 1)))
    assert len(list(check.steps())) == BLOCKS
    flip(written[0], 0)
    check.require(*runs((0, 1)))


def test_digests_of_another_file_are_refused(written):
    path, digests = written
    digests.write_bytes(digests.read_bytes()[:-32])
    with pytest.raises(IndexDamaged, match=r"holds 3 digests for the 4 blocks of vectors.npy"):
        BlockCheck(path, digests)


def test_all_blocks_are_proved_in_the_background(written):
    check = BlockCheck(*written)
    background = BackgroundCheck(check.steps())
    background.wait()
    background.require()
    assert check.complete


def test_what_is_found_in_the_background_is_raised_at_the_next_use(written):
    flip(written[0], 2 * BLOCK_BYTES)
    background = BackgroundCheck(BlockCheck(*written).steps())
    background.wait()
    with pytest.raises(IndexDamaged, match="between byte 2,097,152"):
        background.require()


def test_a_check_that_is_stopped_makes_no_further_step():
    begun, go, made = threading.Event(), threading.Event(), []

    def first():
        begun.set()
        assert go.wait(10)
        made.append("first")

    background = BackgroundCheck([first, lambda: made.append("second")])
    assert begun.wait(10)
    stopping = threading.Thread(target=background.stop)
    stopping.start()
    while not background._stopped.is_set():
        pass
    go.set()
    stopping.join(10)
    assert made == ["first"]
    background.require()
