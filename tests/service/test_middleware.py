"""The guards around the app, driven as ASGI."""

import asyncio

import pytest

from service.metrics import Metrics
from service.middleware import UploadMiddleware


def post_scope() -> dict:
    return {"type": "http", "method": "POST", "path": "/localize", "headers": []}


async def read_all(_, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_upload_that_trickles_is_given_up_with_408():
    from starlette.exceptions import HTTPException

    async def trickle():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def discard(_):
        pass

    guard = UploadMiddleware(read_all, max_uploads=1, timeout_s=0.1)
    with pytest.raises(HTTPException) as error:
        asyncio.run(guard(post_scope(), trickle, discard))
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


def test_methods_that_clients_make_up_share_one_counter():
    from service.middleware import MetricsMiddleware

    metrics = Metrics()

    async def discard(_):
        pass

    async def receive():
        return {"type": "http.request"}

    counted = MetricsMiddleware(read_all, metrics)
    for method in ("BREW", "FROB"):
        asyncio.run(counted({**post_scope(), "method": method}, receive, discard))
    assert 'clnet_requests_total{method="other",route="other",status="200"} 2.0' in metrics.text().decode()
