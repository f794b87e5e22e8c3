"""The guards around the app, driven as ASGI."""

import asyncio
import json

from service.middleware import BodyLimitMiddleware, HeadMiddleware


def answered(app, method: str = "POST") -> list[dict]:
    """What is sent, message by message."""
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": "http", "method": method, "path": "/localize", "headers": []}
    asyncio.run(app(scope, receive, send))
    return sent


def answering(status: int, *parts: bytes):
    """An app that answers in parts."""

    async def app(scope, _, send):
        scope["route"] = scope["method"]
        await send({"type": "http.response.start", "status": status, "headers": []})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def test_a_body_that_the_framework_finds_too_large_is_refused_as_a_problem():
    start, *rest = answered(BodyLimitMiddleware(answering(413, b"too ", b"large"), limit_mb=7))
    assert start["status"] == 413
    problem = json.loads(b"".join(part["body"] for part in rest))
    assert "7 MiB" in problem["detail"]
    assert not rest[-1].get("more_body")


def test_other_answers_pass_as_they_are():
    sent = answered(BodyLimitMiddleware(answering(200, b"a", b"b"), limit_mb=7))
    assert [sent[0]["status"], *(part["body"] for part in sent[1:])] == [200, b"a", b"b", b""]


def test_head_is_answered_as_get_without_the_body_and_ends_where_that_ends():
    start, *rest = answered(HeadMiddleware(answering(200, b"a", b"b")), "HEAD")
    assert start["status"] == 200
    assert [(part["body"], part["more_body"]) for part in rest] == [(b"", True), (b"", True), (b"", False)]
