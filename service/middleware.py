"""What stands around the app: the number of uploads at once, the time they may take, headers, counting.

Plain ASGI, so that an upload is refused before a byte of it is read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Overloaded, problem_kind, problem_response, response_for
from service.metrics import Metrics

__all__ = ["BodyLimitMiddleware", "MetricsMiddleware", "SecurityHeadersMiddleware", "UploadMiddleware"]

_UPLOAD_PATH = "/localize"
_DOCS_PATHS = ("/docs",)
_HEADERS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"}
_CSP = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class UploadMiddleware:
    """Bounds the uploads that arrive at once, and the time in which each must arrive."""

    def __init__(self, app: ASGIApp, *, max_uploads: int, timeout_s: float) -> None:
        self._app = app
        self._max_uploads = max_uploads
        self._timeout_s = timeout_s
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with a clock running."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(_UPLOAD_PATH):
            await self._app(scope, receive, send)
            return
        if self._uploads >= self._max_uploads:
            busy = Overloaded(f"{self._uploads} uploads are under way, which is the limit; try again later")
            await response_for(busy)(scope, receive, send)
            return
        self._uploads += 1
        try:
            await self._app(scope, _in_time(receive, self._timeout_s), send)
        finally:
            self._uploads -= 1


def _in_time(receive: Receive, timeout_s: float) -> Receive:
    """A `receive` that gives up when the body is not complete in time."""
    end = time.monotonic() + timeout_s
    complete = False

    async def receive_in_time() -> Message:
        nonlocal complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout(max(0.0, end - time.monotonic())):
                message = await receive()
        except TimeoutError:
            detail = f"the upload was not complete after {timeout_s:g} s; send a smaller photo"
            raise HTTPException(408, detail, {"Connection": "close"}) from None
        complete = not message.get("more_body", False)
        return message

    return receive_in_time


class SecurityHeadersMiddleware:
    """Adds the headers that keep a browser from doing more than the page needs.

    The interactive documentation is left as FastAPI makes it, which loads its scripts from elsewhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, adding headers to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added: Mapping[str, str] = _HEADERS
        if not scope["path"].endswith(_DOCS_PATHS):
            added = {**_HEADERS, "Content-Security-Policy": _CSP}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class MetricsMiddleware:
    """Counts answers by method, route and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.request(_known_method(scope["method"]), route, message["status"])
            await send(message)

        await self._app(scope, receive, send_counted)


class BodyLimitMiddleware:
    """Tells every 413 as the same problem: the framework's body limit answers some of them in plain text."""

    def __init__(self, app: ASGIApp, *, limit_mb: int) -> None:
        self._app = app
        self._limit_mb = limit_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, replacing that one answer."""
        replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = True
                detail = f"the request body is larger than {self._limit_mb} MiB; send a smaller photo"
                await problem_response(problem_kind(413), detail)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_problem)


def _known_method(method: str) -> str:
    """The method, or one word for all that a client makes up: labels must not grow without bound."""
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
