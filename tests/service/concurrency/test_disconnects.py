import asyncio

import pytest
from fastapi import Request

from service.concurrency.disconnects import unless_gone
from service.errors import Abandoned


def request_that_hears(*messages: str) -> Request:
    """A request whose client sends these messages and then stays, silent."""
    left = list(messages)

    async def receive():
        if not left:
            await asyncio.Event().wait()
        return {"type": left.pop(0)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_the_answer_comes_back_while_the_client_waits():
    async def answer():
        return 42

    assert asyncio.run(unless_gone(request_that_hears("http.request"), answer())) == 42


def test_work_stops_when_the_client_leaves():
    stopped = []

    async def answer():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    async def ask():
        with pytest.raises(Abandoned, match="left before"):
            await unless_gone(request_that_hears("http.disconnect"), answer())
        await asyncio.sleep(0)

    asyncio.run(ask())
    assert stopped == [True]


def test_an_error_of_the_answer_is_raised_as_it_is():
    async def answer():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(unless_gone(request_that_hears(), answer()))
