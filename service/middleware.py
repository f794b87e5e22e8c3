"""What stands around the app: the size of bodies, headers, a proxy's prefix. Plain ASGI."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import NotReady, problem_kind, problem_response, response_for
from service.prefix import normal_prefix

__all__ = [
    "BodyLimitMiddleware",
    "HeadMiddleware",
    "LastWordMiddleware",
    "PrefixMiddleware",
    "SecurityHeadersMiddleware",
]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
}


class SecurityHeadersMiddleware:
    """Adds the headers that keep a browser from doing more than the page needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, adding headers to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


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


class LastWordMiddleware:
    """Answers 503 to requests that the end of the service's time finds open: the server ends them by cancelling."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; an answer that has begun by then is broken off, which the server tells."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except asyncio.CancelledError:
            if not begun:
                stopping = NotReady("the service is stopping; try again later")
                await response_for(stopping)(scope, receive, send)


class HeadMiddleware:
    """Answers HEAD wherever GET is (RFC 9110, section 9.1): the same without its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on as GET, keeping the answer's headers only."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and "route" in asked:
                scope["route"] = asked["route"]  # for those around, who count by route
            if message["type"] == "http.response.body":
                message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
            await send(message)

        await self._app(asked, receive, send_headers)


class PrefixMiddleware:
    """Tells the app under which path it is served, whether the proxy takes that off the address or leaves it.

    Args:
        app: what is served.
        root_path: the path, without a closing slash.
        trust_header: whether `X-Forwarded-Prefix` counts before it; any client can send one.
    """

    def __init__(self, app: ASGIApp, *, root_path: str, trust_header: bool) -> None:
        self._app = app
        self._root_path = root_path
        self._trust_header = trust_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the path, as ASGI has it: within the address, too, so that redirections lead back as links do.

        The page's address is led to the one with a closing slash, which its links need.
        """
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        prefix = self._prefix(scope)
        if prefix and scope["type"] == "http" and scope["path"] == prefix and scope["method"] in ("GET", "HEAD"):
            await RedirectResponse(f"{prefix}/")(scope, receive, send)
            return
        if prefix:
            scope["root_path"] = prefix
            if not scope["path"].startswith(f"{prefix}/"):  # the proxy takes it off
                scope["path"] = prefix + scope["path"]
                if raw := scope.get("raw_path"):  # ASGI leaves it open
                    scope["raw_path"] = prefix.encode() + raw
        await self._app(scope, receive, send)

    def _prefix(self, scope: Scope) -> str:
        stated = Headers(scope=scope).get("x-forwarded-prefix") if self._trust_header else None
        if stated is None:
            return self._root_path
        try:
            return normal_prefix(stated)
        except ValueError:
            return self._root_path
