"""Requests to a tile server: not too many a second, again after a failure that may pass, and from the cache if it may.

One fetcher serves all threads of a build.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from indexer.common.errors import BadSource, BuildConflict, TileWithoutData
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.remote.buckets import Signer, in_bucket
from indexer.tiles.sources.remote.cache import Cache
from model._version import VERSION

__all__ = ["Fetcher", "Reply"]

_LARGEST_BYTES = 64 << 20
_ATTEMPTS = 4
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 60.0
_PATIENCE_S = 30.0
_MAY_PASS = frozenset({429, 500, 502, 503, 504})
_NOTHING_THERE = frozenset({204, 404, 410})
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")


@dataclass(frozen=True)
class Reply:
    """What a server answered.

    Attributes:
        data: the content, or the part of it.
        etag: its version, or its time of change where it has no version; empty where it says neither.
        total: bytes of the whole, of which this may be a part; -1 where that is not said.
    """

    data: bytes
    etag: str = ""
    total: int = -1


class Fetcher:
    """Fetches addresses. Thread-safe.

    Args:
        options: how many requests a second, and where answers are kept.
        sleep: waits some seconds.
    """

    def __init__(self, options: RemoteOptions, *, sleep: Callable[[float], None] = time.sleep) -> None:
        agent = {"User-Agent": f"clnet-geolocalization/{VERSION}"}
        self._client = httpx.Client(
            headers=agent, timeout=_PATIENCE_S, follow_redirects=True, max_redirects=5, trust_env=True
        )
        self._apart_s = 1.0 / options.rate_limit
        self._cache = None if options.cache is None else Cache(options.cache)
        self._signer = Signer()
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def get(self, address: str) -> Reply:
        """All of an address, from the cache where that is fresh or has not changed.

        Raises:
            TileWithoutData: there is nothing.
            BadSource: the server refuses.
            OSError: it does not answer, or wrongly, again and again.
        """
        found = self._cache.find(address) if self._cache else None
        if found and found[1].is_fresh:
            return Reply(found[0], found[1].etag or found[1].modified)
        asked = {}
        if found:
            asked = {"If-None-Match": found[1].etag, "If-Modified-Since": found[1].modified}
        answer, data = self._ask(address, {name: value for name, value in asked.items() if value})
        etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
        if found and answer.status_code == 304:
            data, etag, modified = found[0], etag or found[1].etag, modified or found[1].modified
        if self._cache:
            fresh_s = _fresh_s(answer.headers.get("cache-control", ""))
            self._cache.keep(address, data, etag=etag, modified=modified, fresh_s=fresh_s)
        return Reply(data, etag or modified)

    def get_part(self, address: str, offset: int, length: int, *, etag: str = "") -> Reply:
        """Some bytes of an address, of one version if it is named; never from the cache.

        Raises:
            BuildConflict: there is another version now.
            BadSource: the server refuses, or serves no parts.
            OSError: it does not answer, or wrongly, again and again.
        """
        asked = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        if etag.startswith('"'):  # a weak one, or a time, proves nothing of single bytes
            asked["If-Match"] = etag
        answer, data = self._ask(address, asked)
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("content-range", ""))
        if answer.status_code != 206 or found is None or int(found[1]) != offset:
            raise BadSource(
                f"{address} was asked for a part and answered {answer.status_code} with another; it can only be read "
                "where the server answers range requests, so download it first"
            )
        version = answer.headers.get("etag", "") or answer.headers.get("last-modified", "")
        if etag and version != etag:
            raise _changed(address)
        return Reply(data, version, int(found[3]))

    def version(self, address: str) -> str:
        """What a server calls the present version of an address; empty where it says nothing."""
        answer, _ = self._ask(address, {}, method="HEAD")
        return str(answer.headers.get("etag", "") or answer.headers.get("last-modified", ""))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _ask(self, address: str, headers: dict[str, str], *, method: str = "GET") -> tuple[Any, bytes]:
        """An answer that is one, and its content."""
        for attempt in range(_ATTEMPTS):
            self._wait_in_turn()
            last = attempt == _ATTEMPTS - 1
            try:
                url, own = self._signer.signed(address, method) if in_bucket(address) else (address, {})
                with self._client.stream(method, url, headers=headers | own) as answer:
                    if answer.status_code not in _MAY_PASS or last:
                        return answer, _content(answer, address)
                    wait_s = _retry_after_s(answer.headers.get("retry-after", ""), attempt)
            except httpx.TransportError as error:
                if last:
                    raise OSError(f"{address} cannot be fetched: {error!r}") from error
                wait_s = _retry_after_s("", attempt)
            except httpx.HTTPError as error:
                raise OSError(f"{address} cannot be fetched: {error!r}") from error
            self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _wait_in_turn(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._apart_s
        if turn > now:
            self._sleep(turn - now)


def _content(answer: Any, address: str) -> bytes:
    status = answer.status_code
    if status in _NOTHING_THERE:
        raise TileWithoutData(f"{address} holds nothing ({status})")
    region = answer.headers.get("x-amz-bucket-region", "")
    if status in (301, 400) and region:
        raise BadSource(f"{address} lies in region {region}; set AWS_REGION={region}")
    if status in (401, 403):
        raise BadSource(f"{address} is refused ({status}); does it need a key, or forbid this use?")
    if status == 412:
        raise _changed(address)
    if status not in (200, 206, 304):
        raise OSError(f"{address} answered {status}")
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > _LARGEST_BYTES:
            raise OSError(f"{address} sends more than {_LARGEST_BYTES:,} bytes; no picture of a tile is so large")
        parts.append(part)
    return b"".join(parts)


def _changed(address: str) -> BuildConflict:
    return BuildConflict(f"{address} changed while it was being read; repeat the command")


def _retry_after_s(said: str, attempt: int) -> float:
    """As long as the server says, or longer each time."""
    wait_s = float(said) if said.isdigit() else _FIRST_WAIT_S * 2**attempt
    return min(wait_s, _LONGEST_WAIT_S)


def _fresh_s(said: str) -> float:
    found = _MAX_AGE.search(said)
    return float(found[1]) if found and "no-cache" not in said else 0.0
