"""Stops waiting for an answer when the client that asked has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from service.errors import Abandoned

__all__ = ["unless_gone"]

_T = TypeVar("_T")


async def unless_gone(request: Request, answer: Coroutine[Any, Any, _T]) -> _T:
    """Wait for `answer`; when the client disconnects first, cancel it. The request's body must have been read.

    Raises:
        Abandoned: the client has gone.
    """
    answering, gone = asyncio.create_task(answer), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        raise Abandoned("the client left before the answer was ready")
    finally:
        answering.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
