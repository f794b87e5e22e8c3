"""Who may ask, under which host name; a line of log and a count for each request. Plain ASGI."""

from __future__ import annotations

import json
import logging
import math
import re
import time
import uuid
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import PROBLEM_JSON, problem_kind, problem_response
from service.keys import KeyRing
from service.metrics import Metrics

__all__ = ["AccessLogMiddleware", "HostMiddleware", "KeyMiddleware"]

logger = logging.getLogger("service.access")

_HEALTH = re.compile(r"(?:/v1)?/(?:healthz|readyz)")
_OPEN = re.compile(r"/|/web/.*|/docs(?:/.*)?|/openapi\.json|(?:/v1)?/(?:healthz|readyz)")
"""What needs no key: the page's files, the documentation, health."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class HostMiddleware:
    """Answers only under known host names: a page of another name that was pointed here gets nothing."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on; health is told under any name."""
        if scope["type"] != "http" or _HEALTH.fullmatch(_path(scope)):
            await self._app(scope, receive, send)
            return
        host = re.sub(r":\d+$", "", Headers(scope=scope).get("host", "").lower())
        if host in self._hosts:
            await self._app(scope, receive, send)
            return
        detail = "this service does not answer under that host name; ask it under one that it was given"
        await problem_response(problem_kind(421), detail)(scope, receive, send)


class KeyMiddleware:
    """Asks for a key of the ring, in `Authorization: Bearer KEY` or `X-API-Key: KEY`, and keeps its limit."""

    def __init__(self, app: ASGIApp, ring: KeyRing) -> None:
        self._app = app
        self._ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http" or _OPEN.fullmatch(_path(scope)):
            await self._app(scope, receive, send)
            return
        key = _key(Headers(scope=scope))
        name = self._ring.name_of(key)
        if name is None:
            detail = "give an API key that is valid, in `Authorization: Bearer KEY`"
            refused = problem_response(problem_kind(401), detail, headers={"WWW-Authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        wait_s = self._ring.wait_s(key)
        if wait_s:
            detail = "this key has asked as often as it may; try again later"
            headers = {"Retry-After": str(max(1, math.ceil(wait_s)))}
            await problem_response(problem_kind(429), detail, headers=headers)(scope, receive, send)
            return
        scope["clnet.key"] = name
        await self._app(scope, receive, send)


class AccessLogMiddleware:
    """Gives each request an id, counts it, and writes one line when it is answered: what it was, why it was refused."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, count and tell."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        told: dict[str, object] = {"request_id": _request_id(Headers(scope=scope)), "status": 0, "bytes": 0}
        received = 0
        problem = False

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def send_told(message: Message) -> None:
            nonlocal problem
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = str(told["request_id"])
                told["status"] = message["status"]
                self._metrics.request(_known_method(scope["method"]), _route(scope), message["status"])
                problem = headers.get("content-type") == PROBLEM_JSON
            elif problem:
                told["reason"] = _slug(message.get("body", b""))
                problem = False
            await send(message)

        try:
            await self._app(scope, receive_counted, send_told)
        finally:
            seconds = time.perf_counter() - began
            route = _route(scope)
            self._metrics.answered(route, seconds, str(told.get("reason", "")))
            told |= {"method": scope["method"], "route": route, "bytes": received, "ms": round(1000 * seconds, 1)}
            told["key"] = scope.get("clnet.key")
            logger.info("%s", " ".join(f"{name}={value}" for name, value in told.items()), extra={"told": told})


def _path(scope: Scope) -> str:
    """The path as routes know it, whether or not a proxy's prefix stands before it."""
    path, prefix = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(prefix) :] if prefix and path.startswith(f"{prefix}/") else path


def _route(scope: Scope) -> str:
    """The template of the address, or one word for all that lead nowhere: labels must not grow without bound."""
    return str(getattr(scope.get("route"), "path", "other"))


def _known_method(method: str) -> str:
    """The method, or one word for all that a client makes up."""
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"


def _key(headers: Headers) -> str:
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _slug(body: bytes) -> str:
    try:
        return str(json.loads(body)["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return "unknown"
