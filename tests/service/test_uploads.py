"""Uploads at once, how long each may take and how slow it may be; driven as ASGI."""

import asyncio

import pytest
from starlette.exceptions import HTTPException

from service import uploads
from service.uploads import UploadMiddleware


def post_scope() -> dict:
    return {"type": "http", "method": "POST", "path": "/localize", "headers": []}


async def read_all(_, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def trickle(seconds: float):
    async def receive():
        await asyncio.sleep(seconds)
        return {"type": "http.request", "body": b"x", "more_body": True}

    return receive


async def at_once():
    return {"type": "http.request", "body": b"photo", "more_body": False}


async def status_of(guard, receive) -> int:
    statuses = []

    async def send(message):
        statuses.append(message.get("status"))

    try:
        await guard(post_scope(), receive, send)
    except HTTPException as error:
        return error.status_code
    return statuses[0]


def test_upload_that_trickles_is_given_up_with_408():
    async def discard(_):
        pass

    guard = UploadMiddleware(read_all, max_uploads=1, timeout_s=0.1)
    with pytest.raises(HTTPException) as error:
        asyncio.run(guard(post_scope(), trickle(0.02), discard))
    assert error.value.status_code == 408
    assert "0.1 s" in error.value.detail


def test_waiting_for_the_answer_is_not_part_of_the_uploads_time():
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}])

    async def receive():
        return next(messages)

    async def app(_, receive_in_time, __):
        await receive_in_time()
        await asyncio.sleep(0.2)
        assert (await receive_in_time())["type"] == "http.disconnect"

    asyncio.run(UploadMiddleware(app, max_uploads=1, timeout_s=0.05)(post_scope(), receive, None))


def test_place_is_free_again_after_a_failure():
    async def broken(*_):
        raise RuntimeError

    guard = UploadMiddleware(broken, max_uploads=1, timeout_s=1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            asyncio.run(guard(post_scope(), None, None))


def test_upload_below_the_least_rate_is_ended_long_before_its_time(monkeypatch):
    monkeypatch.setattr(uploads, "_GRACE_S", 0.05)
    guard = UploadMiddleware(read_all, max_uploads=1, timeout_s=30, least_bytes_per_s=1000)
    with pytest.raises(HTTPException, match="slower than") as error:
        asyncio.run(guard(post_scope(), trickle(0.01), None))
    assert error.value.status_code == 408


def test_upload_above_the_least_rate_is_not(monkeypatch):
    monkeypatch.setattr(uploads, "_GRACE_S", 0.5)
    parts = iter([(b"x" * 500, True)] * 40 + [(b"", False)])

    async def receive():
        await asyncio.sleep(0.02)
        body, more = next(parts)
        return {"type": "http.request", "body": body, "more_body": more}

    guard = UploadMiddleware(read_all, max_uploads=1, timeout_s=30, least_bytes_per_s=1000)
    assert asyncio.run(status_of(guard, receive)) == 200


def test_place_is_held_while_the_body_comes_and_not_while_it_is_worked_on():
    async def ask():
        working = asyncio.Event()

        async def slow(_, receive, send):
            await read_all(_, receive, send)
            await working.wait()

        guard = UploadMiddleware(slow, max_uploads=1, timeout_s=30)
        first = asyncio.create_task(status_of(guard, at_once))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(status_of(guard, at_once))
        await asyncio.sleep(0.01)
        working.set()
        assert [await first, await second] == [200, 200]
        coming = asyncio.create_task(status_of(guard, trickle(60)))
        await asyncio.sleep(0.01)
        assert await status_of(guard, at_once) == 503
        coming.cancel()

    asyncio.run(ask())


def test_slow_uploads_on_all_places_make_room_for_a_fast_one(monkeypatch):
    monkeypatch.setattr(uploads, "_SETTLED_S", 0.05)

    async def ask():
        guard = UploadMiddleware(read_all, max_uploads=2, timeout_s=30)
        slower = asyncio.create_task(status_of(guard, trickle(60)))
        slow = asyncio.create_task(status_of(guard, trickle(0.01)))
        await asyncio.sleep(0.1)
        assert await status_of(guard, at_once) == 200
        assert await slower == 408
        assert not slow.done()
        slow.cancel()

    asyncio.run(ask())


def test_those_who_send_nothing_keep_nobody_out_in_their_first_seconds():
    """Long before any of them is too slow by itself."""

    async def ask():
        guard = UploadMiddleware(read_all, max_uploads=8, timeout_s=30, least_bytes_per_s=1000)
        idle = [asyncio.create_task(status_of(guard, trickle(60))) for _ in range(8)]
        await asyncio.sleep(0.4)
        assert [await status_of(guard, at_once) for _ in range(20)] == [200] * 20
        assert [task.done() for task in idle].count(False) >= 6  # only those in the way had to go
        for task in idle:
            task.cancel()

    asyncio.run(ask())
