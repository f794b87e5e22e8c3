"""Bounds the uploads that arrive at once, the time that each may take, and how slow it may be.

A place is held only while a body arrives. Where all are held, the slowest upload gives up its place, so that clients
who send little, however many, keep nobody out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.common.counted import counted
from service.errors import Overloaded, response_for

__all__ = ["UploadMiddleware"]

_GRACE_S = 2.0
"""In which no upload is called slow: a connection takes time to gather speed."""
_SETTLED_S = 0.25
"""In which none gives up its place: after some round trips whoever sends at all has sent more than who does not."""


@dataclass(eq=False)
class _Upload:
    """One body on its way.

    Attributes:
        began: by the event loop's clock.
        received: bytes so far.
        clock: the running wait for its next part; it can be ended early.
        reason: why it was ended, if it was.
    """

    began: float
    received: int = 0
    clock: asyncio.Timeout | None = field(default=None)
    reason: str = ""

    def rate(self, now: float) -> float:
        return self.received / max(now - self.began, 1e-3)


class UploadMiddleware:
    """Plain ASGI, so that an upload is refused before a byte of it is read."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_uploads: int,
        timeout_s: float,
        least_bytes_per_s: float = 0.0,
        on_count: Callable[[int], None] | None = None,
    ) -> None:
        """Wrap `app`.

        Args:
            app: what gets the uploads.
            max_uploads: bodies that arrive at once.
            timeout_s: in which each must arrive.
            least_bytes_per_s: on average, after the first seconds.
            on_count: told the number of uploads that arrive, whenever it changes.
        """
        self._app = app
        self._max_uploads = max_uploads
        self._timeout_s = timeout_s
        self._least_bytes_per_s = least_bytes_per_s
        self._uploads: set[_Upload] = set()
        self._tell = on_count or (lambda _: None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with a clock running."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if len(self._uploads) >= self._max_uploads and not self._drop_slowest():
            uploads = counted(len(self._uploads), "upload", "is", "are")
            busy = Overloaded(f"{uploads} under way, which is the limit; try again later")
            await response_for(busy)(scope, receive, send)
            return
        upload = _Upload(asyncio.get_running_loop().time())
        self._uploads.add(upload)
        self._tell(len(self._uploads))
        try:
            await self._app(scope, self._watched(receive, upload), send)
        finally:
            self._leave(upload)

    def _leave(self, upload: _Upload) -> None:
        self._uploads.discard(upload)
        self._tell(len(self._uploads))

    def _drop_slowest(self) -> bool:
        """End the slowest upload that has had its time to begin; False where there is none."""
        now = asyncio.get_running_loop().time()
        settled = [one for one in self._uploads if now - one.began > _SETTLED_S and one.clock is not None]
        if not settled:
            return False
        slowest = min(settled, key=lambda one: one.rate(now))
        slowest.reason = "the upload was the slowest of too many at once; try again later, or over a faster connection"
        assert slowest.clock is not None
        slowest.clock.reschedule(now)
        self._leave(slowest)
        return True

    def _watched(self, receive: Receive, upload: _Upload) -> Receive:
        """A `receive` that gives up on a body that comes too slowly, and frees the place once it is there."""
        complete = False

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(self._latest(upload)) as upload.clock:
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, self._reason(upload), {"Connection": "close"}) from None
            finally:
                upload.clock = None
            upload.received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if complete:
                self._leave(upload)
            return message

        return receive_in_time

    def _latest(self, upload: _Upload) -> float:
        """When the next part must be there, by the loop's clock."""
        latest = upload.began + self._timeout_s
        if self._least_bytes_per_s:
            latest = min(latest, upload.began + _GRACE_S + upload.received / self._least_bytes_per_s)
        return latest

    def _reason(self, upload: _Upload) -> str:
        if upload.reason:
            return upload.reason
        if asyncio.get_running_loop().time() >= upload.began + self._timeout_s:
            return f"the upload was not complete after {self._timeout_s:g} s; send a smaller photo"
        return (
            f"the upload is slower than {self._least_bytes_per_s / 1024:g} KiB a second; send a smaller photo, or over "
            "a faster connection"
        )
