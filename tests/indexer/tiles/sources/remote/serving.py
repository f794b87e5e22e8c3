"""A static server on loopback that knows ranges and ETags, and counts what it is asked."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Served:
    """What a running server does.

    Attributes:
        url: where it is.
        asked: (method, path, its Range header or "", status) of every request.
        failures: statuses that are answered before anything else, each once.
        ranges: whether it answers requests for parts.
        headers: sent with every answer.
    """

    url: str = ""
    asked: list[tuple[str, str, str, int]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    ranges: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def statuses(self) -> list[int]:
        return [status for *_, status in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        path = self.server.folder / self.path.lstrip("/").partition("?")[0]
        data = path.read_bytes() if path.is_file() else b""
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if self.server.served.ranges else None
        status, data, more = self._chosen(path.is_file(), data, etag, part)
        headers = {"Retry-After": "0"} if more is None else {"ETag": etag, **self.server.served.headers, **more}
        self.server.served.asked.append((self.command, self.path, self.headers.get("Range", ""), status))
        self.send_response(status)
        if self.server.served.ranges:
            self.send_header("Accept-Ranges", "bytes")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def _chosen(
        self, there: bool, data: bytes, etag: str, part: re.Match[str] | None
    ) -> tuple[int, bytes, dict[str, str] | None]:
        if self.server.served.failures:
            return self.server.served.failures.pop(0), b"", None
        if not there:
            return 404, b"", {}
        if self.headers.get("If-Match", etag) != etag:
            return 412, b"", {}
        if self.headers.get("If-None-Match") == etag:
            return 304, b"", {}
        if not part:
            return 200, data, {}
        start, stop = int(part[1]), min(int(part[2] or len(data) - 1) + 1, len(data))
        return 206, data[start:stop], {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}


class _Server(ThreadingHTTPServer):
    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.served = folder, Served()
        self.served.url = f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    server = _Server(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
