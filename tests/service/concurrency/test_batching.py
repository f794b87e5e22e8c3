"""Batches form of what waits; everyone gets their own result or error."""

import threading
import time
from concurrent.futures import wait

import pytest

from service.concurrency.batching import Batcher


class Gate:
    """Work whose first call waits until it is opened, so that a line forms behind it."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, items):
        self.batches.append(list(items))
        self.entered.set()
        assert self.opened.wait(10)
        return [(number, 10 * item) for number, item in enumerate(items)]


def behind(gate: Gate, *items: int, max_items: int = 8):
    """A batcher whose thread is busy with 0 while the items wait."""
    batcher = Batcher(gate, max_items=max_items)
    first = batcher.submit(0)
    assert gate.entered.wait(10)
    return batcher, [first, *(batcher.submit(item) for item in items)]


def test_what_waits_is_the_next_batch_and_each_gets_its_own_result():
    gate = Gate()
    batcher, futures = behind(gate, 1, 2, 3)
    gate.opened.set()
    wait(futures, timeout=10)
    assert [future.result() for future in futures] == [0, 10, 20, 30]
    assert gate.batches == [[0], [1, 2, 3]]
    batcher.close()


def test_nobody_waits_for_company():
    batcher = Batcher(lambda items: [(0, items[0])], max_items=8)
    assert batcher.submit(7).result(timeout=10) == 7
    batcher.close()


def test_batch_never_exceeds_the_limit():
    gate = Gate()
    batcher, futures = behind(gate, 1, 2, 3, 4, 5, max_items=2)
    gate.opened.set()
    wait(futures, timeout=10)
    assert gate.batches == [[0], [1, 2], [3, 4], [5]]
    batcher.close()


def test_cancelled_item_is_not_worked_on():
    gate = Gate()
    batcher, futures = behind(gate, 1, 2)
    assert futures[1].cancel()
    gate.opened.set()
    wait([futures[0], futures[2]], timeout=10)
    assert gate.batches == [[0], [2]]
    batcher.close()


def test_item_cancelled_while_it_is_worked_on_harms_nobody():
    gate = Gate()
    batcher, futures = behind(gate)
    assert futures[0].cancel()
    after = batcher.submit(1)
    gate.opened.set()
    assert after.result(timeout=10) == 10
    batcher.close()


def test_one_failure_is_one_items_and_its_neighbours_are_answered():
    def work(items):
        return [(number, ValueError("odd") if item % 2 else item) for number, item in enumerate(items)]

    batcher = Batcher(work, max_items=8)
    with pytest.raises(ValueError, match="odd"):
        batcher.submit(1).result(timeout=10)
    assert batcher.submit(2).result(timeout=10) == 2
    batcher.close()


def test_failure_of_the_whole_batch_reaches_everyone_who_has_no_result_and_the_thread_goes_on():
    def work(items):
        yield 0, items[0]
        if len(items) > 1:
            raise RuntimeError("no memory")

    gate = Gate()

    def slow_first(items):
        gate(items[:1]) if items[0] == 0 else None
        yield from work(items)

    batcher = Batcher(slow_first, max_items=8)
    first = batcher.submit(0)
    assert gate.entered.wait(10)
    good, bad = batcher.submit(1), batcher.submit(2)
    gate.opened.set()
    assert (first.result(timeout=10), good.result(timeout=10)) == (0, 1)
    with pytest.raises(RuntimeError, match="no memory"):
        bad.result(timeout=10)
    assert batcher.submit(3).result(timeout=10) == 3
    batcher.close()


def test_closing_finishes_what_was_submitted():
    gate = Gate()
    batcher, futures = behind(gate, 1, 2)
    gate.opened.set()
    batcher.close()
    assert [future.result(timeout=0) for future in futures] == [0, 10, 20]
    assert not batcher._thread.is_alive()


def slow_at_zero(items):
    """Work whose first batch takes a while, after which a batch may wait as long."""
    if 0 in items:
        time.sleep(0.2)
    return [(number, list(items)) for number in range(len(items))]


def test_under_load_a_batch_waits_for_those_on_their_way():
    late = []

    def crowded() -> bool:
        """One more is on the way, and comes as soon as somebody asks."""
        if not late:
            late.append(batcher.submit(2))
            return True
        return False

    batcher = Batcher(slow_at_zero, max_items=8, crowded=crowded)
    batcher.submit(0).result(timeout=10)
    late.clear()
    early = batcher.submit(1)
    assert early.result(timeout=10) == [1, 2]
    assert late[0].result(timeout=10) == [1, 2]
    batcher.close()


def test_a_batch_waits_no_longer_than_the_last_one_took():
    asked = []
    batcher = Batcher(slow_at_zero, max_items=8, crowded=lambda: asked.append(1) or True)
    batcher.submit(0).result(timeout=10)
    began = time.monotonic()
    assert batcher.submit(1).result(timeout=10) == [1]
    assert time.monotonic() - began > 0.15
    looked = len(asked)
    assert batcher.submit(2).result(timeout=10) == [2]
    assert len(asked) - looked < looked  # the last one took no time
    batcher.close()


def test_a_full_batch_waits_for_nobody():
    asked = []
    batcher = Batcher(slow_at_zero, max_items=1, crowded=lambda: asked.append(1) or True)
    batcher.submit(0).result(timeout=10)
    batcher.submit(1).result(timeout=10)
    assert not asked
    batcher.close()


def test_the_length_of_each_batch_is_told():
    lengths = []
    batcher = Batcher(enumerate, max_items=4, on_batch=lengths.append)
    batcher.submit("one").result(timeout=10)
    batcher.submit("other").result(timeout=10)
    batcher.close()
    assert lengths == [1, 1]


def test_where_nobody_says_that_more_come_none_is_waited_for():
    asked = []
    batcher = Batcher(enumerate, max_items=4)
    batcher._last_s = 30.0  # however long the last one took
    assert batcher.submit("one").result(timeout=10) == "one"
    batcher.close()
    first = Batcher(enumerate, max_items=4, crowded=lambda: asked.append(1) or True)
    assert first.submit("one").result(timeout=10) == "one"  # no batch before it took any time
    first.close()
    assert not asked


def test_the_thread_has_a_name_and_keeps_no_process_alive():
    batcher = Batcher(enumerate, max_items=4)
    assert (batcher._thread.name, batcher._thread.daemon) == ("answer", True)
    batcher.close()


def test_closing_waits_no_longer_than_is_said():
    released = threading.Event()

    def held(items):
        released.wait(30)
        return enumerate(items)

    batcher = Batcher(held, max_items=1)
    waiting = batcher.submit("one")
    batcher.close(timeout_s=0.05)
    assert not waiting.done()
    released.set()
    assert waiting.result(timeout=10) == "one"


def test_what_a_batch_took_is_no_more_than_went_by():
    batcher = Batcher(enumerate, max_items=4)
    began = time.monotonic()
    assert batcher.submit("one").result(timeout=10) == "one"
    batcher.close()
    assert 0.0 < batcher._last_s <= time.monotonic() - began
