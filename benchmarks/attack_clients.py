"""Clients that behave badly on the wire: slow, many, endless, or gone before the end. Each returns what became of it.

A row says whether the service `held`: every answer was 2xx, 4xx or 503, and a normal photo was answered meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

__all__ = ["ATTACKS", "answer_of", "good_statuses", "upload_head"]

_Row = dict[str, Any]
_BOUNDARY = "attack"
_PART = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="panorama"; filename="a.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
)


def upload_head(*, length: int | None = None) -> bytes:
    """The head of a POST of one photo, and the head of its part; chunked where no length is given."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    head = f"POST /localize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary={_BOUNDARY}\r\n"
    return f"{head}{size}\r\n\r\n".encode()


def good_statuses(answers: Counter[str]) -> bool:
    """Whether nothing came but 2xx, 4xx and 503, or an end of the connection."""
    return all(kind[0] in "24" or kind in ("503", "closed") for kind in answers)


async def answer_of(reader: asyncio.StreamReader) -> str:
    """The status of the next answer, or `closed`."""
    try:
        line = await reader.readline()
    except OSError:
        return "closed"
    return line.split(b" ")[1].decode() if line.startswith(b"HTTP/1.1 ") else "closed"


def _slow_headers(url: str, photo: bytes) -> _Row:
    async def one(address: tuple[str, int]) -> str:
        async with _connection(address) as (reader, writer):
            answer = asyncio.create_task(answer_of(reader))
            for byte in upload_head(length=1_000_000):
                if answer.done():
                    break
                await _send(writer, bytes([byte]))
                await asyncio.wait([answer], timeout=1.0)
            return await asyncio.wait_for(answer, 60)

    return asyncio.run(_many(url, photo, one, count=200, least=200))


def _slow_bodies(url: str, photo: bytes) -> _Row:
    async def one(address: tuple[str, int]) -> str:
        async with _connection(address) as (reader, writer):
            await _send(writer, upload_head(length=1_000_000) + _PART.encode())
            answer = asyncio.create_task(answer_of(reader))
            while not answer.done():
                await _send(writer, b"x" * 100)
                await asyncio.wait([answer], timeout=1.0)
            return await answer

    return asyncio.run(_many(url, photo, one, count=200, least=200))


def _aborted(url: str, photo: bytes) -> _Row:
    async def one(address: tuple[str, int]) -> str:
        for _ in range(20):
            async with _connection(address) as (_, writer):
                await _send(writer, upload_head(length=2 * len(photo)) + _PART.encode() + photo[: len(photo) // 2])
        return "closed"

    return asyncio.run(_many(url, photo, one, count=20, least=20))


def _five_hundred(url: str, photo: bytes) -> _Row:
    body = _PART.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()

    async def one(address: tuple[str, int]) -> str:
        async with _connection(address) as (reader, writer):
            await _send(writer, upload_head(length=len(body)) + body)
            return await asyncio.wait_for(answer_of(reader), 120)

    return asyncio.run(_many(url, photo, one, count=500, least=500))


def _endless(url: str, photo: bytes) -> _Row:
    """Ten gigabytes in chunks, from a client that stops only when it is told."""
    sent = 0

    async def one(address: tuple[str, int]) -> str:
        nonlocal sent
        async with _connection(address) as (reader, writer):
            await _send(writer, upload_head())
            answer = asyncio.create_task(answer_of(reader))
            part, chunk = _PART.encode(), b"100000\r\n" + bytes(1 << 20) + b"\r\n"
            await _send(writer, f"{len(part):x}\r\n".encode() + part + b"\r\n")
            while not answer.done() and sent < 10 << 30:
                await _send(writer, chunk)
                sent += 1 << 20
                await asyncio.sleep(0)
            return await answer

    row = asyncio.run(_many(url, photo, one, count=1, least=1))
    return row | {"mib_sent": sent >> 20, "held": row["held"] and row["answers"].get("200", 0) == 0}


ATTACKS: dict[str, Callable[[str, bytes], _Row]] = {
    "200 clients, a byte of a header each second": _slow_headers,
    "200 clients, 100 bytes of a body each second": _slow_bodies,
    "400 uploads broken off in the middle": _aborted,
    "500 clients at once": _five_hundred,
    "10 GB in chunks": _endless,
}
"""Name -> attack on (address of the service, a normal photo)."""


async def _many(
    url: str, photo: bytes, one: Callable[[tuple[str, int]], Awaitable[str]], *, count: int, least: int
) -> _Row:
    """Run one client many times at once, with a normal photo asked beside them."""
    parts = urlsplit(url)
    address = (str(parts.hostname), int(parts.port or 80))
    began = time.monotonic()
    attack = asyncio.gather(*(one(address) for _ in range(count)), return_exceptions=True)
    normal: Counter[str] = Counter()
    slowest_s = 0.0
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        while not attack.done():
            asked = time.monotonic()
            normal[str((await client.post("/localize", files={"panorama": photo})).status_code)] += 1
            slowest_s = max(slowest_s, time.monotonic() - asked)
            await asyncio.wait([attack], timeout=0.25)
        after = (await client.post("/localize", files={"panorama": photo})).status_code
    results = await attack
    answers = Counter(one if isinstance(one, str) else type(one).__name__ for one in results)
    held = good_statuses(answers) and sum(answers.values()) >= least and set(normal) <= {"200", "503"} and after == 200
    return {
        "seconds": round(time.monotonic() - began, 1),
        "answers": dict(answers.most_common()),
        "normal": dict(normal),
        "normal_max_s": round(slowest_s, 3),
        "held": held,
    }


@contextlib.asynccontextmanager
async def _connection(address: tuple[str, int]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(OSError):
        writer.write(data)
        await writer.drain()
