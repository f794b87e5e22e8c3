"""The line: full, late, left."""

import asyncio

import pytest

from service.concurrency.line import Line
from service.errors import DeadlineExceeded, Overloaded


async def forever() -> None:
    await asyncio.Event().wait()


async def value(of: int) -> int:
    return of


def test_full_line_refuses_at_once_and_a_place_is_free_after_an_end():
    async def ask():
        line = Line(limit=1, deadline_s=30)
        first = asyncio.create_task(line.run(forever()))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await line.run(value(1))
        assert refused.value.retry_after_s >= 1
        first.cancel()
        await asyncio.sleep(0)
        assert await line.run(value(2)) == 2

    asyncio.run(ask())


def test_deadline_cancels_the_work_and_frees_the_place():
    ended = []

    async def work():
        try:
            await forever()
        finally:
            ended.append(True)

    async def ask():
        line = Line(limit=1, deadline_s=0.05)
        with pytest.raises(DeadlineExceeded, match=r"0\.05 s"):
            await line.run(work())
        assert ended == [True]
        assert await line.run(value(3)) == 3

    asyncio.run(ask())


def test_timeout_of_the_work_itself_is_not_taken_for_the_deadline():
    async def work():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(Line(limit=1, deadline_s=30).run(work()))


def test_observer_hears_of_every_move():
    class Heard:
        counts: list[int]

        def __init__(self):
            self.counts = []

        def waiting(self, count):
            self.counts.append(count)

    heard = Heard()
    asyncio.run(Line(limit=2, deadline_s=30, observer=heard).run(value(1)))
    assert heard.counts == [1, 0]
