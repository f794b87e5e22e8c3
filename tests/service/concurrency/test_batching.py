"""The micro-batcher joins what arrives together and hands everyone their own rows."""

import threading
import time
from concurrent.futures import wait

import numpy as np
import pytest

from service.concurrency.batching import BatchingEncoder, MicroBatcher
from tests.fakes import FakeEncoder


def rows(*values: int) -> np.ndarray:
    return np.array(values, np.uint8).reshape(-1, 1, 1, 1)


def mean(pixels: np.ndarray) -> np.ndarray:
    return pixels.mean(axis=(1, 2, 3), keepdims=True).reshape(len(pixels), 1).astype(np.float32)


class Gate:
    """An encode function whose first call waits until it is opened, so that a line forms behind it."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self.batches: list[int] = []

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        self.batches.append(len(pixels))
        self.entered.set()
        assert self.opened.wait(10)
        return mean(pixels)


def test_waiting_photos_share_one_forward_pass_and_keep_their_order():
    gate = Gate()
    batcher = MicroBatcher(gate, max_rows=8, wait_s=0.05)
    first = batcher.submit(rows(1))
    gate.entered.wait(10)
    later = [batcher.submit(rows(value)) for value in (2, 3, 4)]
    gate.opened.set()
    wait([first, *later], timeout=10)
    assert [float(future.result()[0, 0]) for future in (first, *later)] == [1, 2, 3, 4]
    assert gate.batches == [1, 3]
    batcher.close()


def test_requests_of_several_photos_that_were_joined_each_get_their_own_rows():
    gate = Gate()
    batcher = MicroBatcher(gate, max_rows=8, wait_s=0.05)
    first = batcher.submit(rows(0))
    gate.entered.wait(10)
    asked = [(1, 2), (3, 4, 5), (6, 7, 8)]
    later = [batcher.submit(rows(*values)) for values in asked]
    gate.opened.set()
    wait([first, *later], timeout=10)
    assert gate.batches == [1, 8]
    assert [tuple(future.result()[:, 0]) for future in later] == asked
    batcher.close()


def test_batch_never_exceeds_the_limit_unless_one_request_does():
    gate = Gate()
    batcher = MicroBatcher(gate, max_rows=4, wait_s=0.05)
    futures = [batcher.submit(rows(0))]
    gate.entered.wait(10)
    futures += [batcher.submit(rows(*range(count))) for count in (3, 3, 6, 1)]
    gate.opened.set()
    wait(futures, timeout=10)
    assert gate.batches == [1, 3, 3, 6, 1]
    batcher.close()


def test_a_photo_that_comes_while_the_first_waits_for_company_joins_it():
    batches = []
    batcher = MicroBatcher(mean, max_rows=2, wait_s=30.0, on_batch=batches.append)
    first = batcher.submit(rows(1))
    time.sleep(0.1)  # the thread waits by now
    second = batcher.submit(rows(2))
    assert [float(future.result(timeout=10)[0, 0]) for future in (first, second)] == [1, 2]
    assert batches == [2]
    after = [batcher.submit(rows(value)) for value in (3, 4)]  # the thread goes on after a joined batch
    assert [float(future.result(timeout=10)[0, 0]) for future in after] == [3, 4]
    batcher.close()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_nobody_waits_for_company_where_the_batch_is_full(count):
    batches = []
    batcher = MicroBatcher(mean, max_rows=min(count, 2), wait_s=30.0, on_batch=batches.append)
    assert batcher.submit(rows(*range(count))).result(timeout=10)[:, 0].tolist() == list(range(count))
    assert batches == [count]
    batcher.close()


def test_a_lone_request_is_encoded_without_a_copy():
    seen = []
    batcher = MicroBatcher(lambda pixels: seen.append(pixels) or mean(pixels), max_rows=1)
    mine = rows(1, 2)
    batcher.submit(mine).result(timeout=10)
    assert seen[0] is mine
    batcher.close()


def test_the_thread_has_a_name_and_does_not_keep_the_process_alive():
    batcher = MicroBatcher(mean, max_rows=1)
    assert (batcher._thread.name, batcher._thread.daemon) == ("encode", True)
    batcher.close()
    assert not batcher._thread.is_alive()


def test_limit_of_one_joins_nothing():
    gate = Gate()
    batcher = MicroBatcher(gate, max_rows=1)
    futures = [batcher.submit(rows(value)) for value in (1, 2, 3)]
    gate.opened.set()
    wait(futures, timeout=10)
    assert gate.batches == [1, 1, 1]
    batcher.close()


def test_cancelled_photo_is_not_encoded():
    gate = Gate()
    batcher = MicroBatcher(gate, max_rows=1)
    first = batcher.submit(rows(1))
    gate.entered.wait(10)
    unwanted, wanted = batcher.submit(rows(2)), batcher.submit(rows(3))
    assert unwanted.cancel()
    gate.opened.set()
    wait([first, wanted], timeout=10)
    assert len(gate.batches) == 2
    batcher.close()


def test_failure_reaches_everyone_in_the_batch_and_the_next_batch_works():
    calls = []

    def encode(pixels: np.ndarray) -> np.ndarray:
        calls.append(len(pixels))
        if len(calls) == 1:
            raise RuntimeError("no memory")
        return mean(pixels)

    batcher = MicroBatcher(encode, max_rows=1)
    with pytest.raises(RuntimeError, match="no memory"):
        batcher.submit(rows(1)).result(timeout=10)
    assert batcher.submit(rows(7)).result(timeout=10)[0, 0] == 7
    batcher.close()


def test_close_answers_what_was_submitted():
    batcher = MicroBatcher(mean, max_rows=4, wait_s=0.5)
    futures = [batcher.submit(rows(value)) for value in range(6)]
    batcher.close()
    assert [float(future.result(timeout=0)[0, 0]) for future in futures] == list(range(6))


def test_batching_encoder_gives_what_the_encoder_gives():
    encoder = FakeEncoder()
    batcher = MicroBatcher(encoder.encode_ground, max_rows=4)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 64, 3), np.uint8)
    shared = BatchingEncoder(encoder, batcher)
    np.testing.assert_array_equal(shared.encode_ground(pixels), encoder.encode_ground(pixels))
    for name in ("name", "digest", "numbers", "dim", "inputs"):
        assert getattr(shared, name) is getattr(encoder, name)
    batcher.close()
