"""The worker pool bounds what waits, keeps deadlines, and drops what nobody waits for."""

import asyncio
import threading
import time

import pytest

from service.concurrency.workers import WorkerPool
from service.errors import DeadlineExceeded, Overloaded


@pytest.fixture
def pool():
    made = WorkerPool(threads=1, queue_limit=1, deadline_s=5.0)
    yield made
    made.close()


def test_work_runs_in_another_thread_and_its_value_comes_back(pool):
    assert asyncio.run(pool.run(lambda check: (check(), threading.current_thread().name)[1])).startswith("localize")


def test_error_of_the_work_comes_back(pool):
    def work(_):
        raise ValueError("bad photo")

    with pytest.raises(ValueError, match="bad photo"):
        asyncio.run(pool.run(work))


def test_full_line_refuses_at_once_and_says_when_to_come_back(pool):
    opened = threading.Event()

    async def scenario():
        waiting = [asyncio.create_task(pool.run(lambda _: opened.wait(10))) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Overloaded) as refused:
            await pool.run(lambda _: None)
        opened.set()
        await asyncio.gather(*waiting)
        return refused.value.retry_after_s

    assert asyncio.run(scenario()) >= 1
    assert asyncio.run(pool.run(lambda _: "free again")) == "free again"


def test_work_whose_turn_comes_too_late_is_not_begun():
    pool = WorkerPool(threads=1, queue_limit=4, deadline_s=0.1)
    begun = []

    async def scenario():
        slow = asyncio.create_task(pool.run(lambda _: time.sleep(0.3)))
        await asyncio.sleep(0.02)
        with pytest.raises(DeadlineExceeded, match=r"within 0\.1 s"):
            await pool.run(lambda _: begun.append(1))
        await slow

    asyncio.run(scenario())
    pool.close()
    assert begun == []


def test_work_in_line_whose_client_left_is_not_begun_and_frees_its_place(pool):
    opened, begun = threading.Event(), []

    async def scenario():
        slow = asyncio.create_task(pool.run(lambda _: opened.wait(10)))
        unwanted = asyncio.create_task(pool.run(lambda _: begun.append(1)))
        await asyncio.sleep(0.05)
        unwanted.cancel()
        await asyncio.wait({unwanted})
        opened.set()
        await slow
        return await pool.run(lambda _: "free")

    assert asyncio.run(scenario()) == "free"
    assert begun == []


def test_running_work_sees_at_its_next_check_that_its_client_left(pool):
    entered, left, outcome = threading.Event(), threading.Event(), []

    def work(check):
        entered.set()
        left.wait(10)
        try:
            check()
        except Exception as error:
            outcome.append(type(error).__name__)
            raise

    async def scenario():
        task = asyncio.create_task(pool.run(work))
        await asyncio.to_thread(entered.wait, 10)
        task.cancel()
        await asyncio.wait({task})
        left.set()
        await pool.run(lambda _: None)

    asyncio.run(scenario())
    assert outcome == ["Abandoned"]


def test_observer_sees_the_line_grow_and_empty():
    class Observer:
        def __init__(self):
            self.counts, self.waits = [], []

        def waiting(self, count):
            self.counts.append(count)

        def waited(self, seconds):
            self.waits.append(seconds)

    observer = Observer()
    pool = WorkerPool(threads=1, queue_limit=1, deadline_s=5.0, observer=observer)
    asyncio.run(pool.run(lambda _: None))
    pool.close()
    assert observer.counts == [1, 0]
    assert len(observer.waits) == 1
