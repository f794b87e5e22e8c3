"""The server process: how slow a client may be, how long its headers, and how the process goes when told to stop.

At SIGTERM it first goes on as a lame duck, whose `/readyz` sends new clients elsewhere; then it takes no new connection
and gives open requests their time; at the end of that it stops, whatever still runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import termios
import threading
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.settings import Settings

__all__ = ["Server", "make_server"]

logger = logging.getLogger(__name__)

_MOST_HEADER_BYTES = 64 << 10
_LAST_S = 5.0
"""For closing what was opened, once the time of open requests is over."""


def make_server(app: FastAPI, settings: Settings) -> Server:
    """A server of the app that is ready to run."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=_impatient(settings),
        access_log=False,  # the app tells more
        log_config=None,  # one format for all, as set by the command line
        timeout_graceful_shutdown=settings.shutdown_s,
        server_header=False,
    )
    return Server(config, app, settings)


class Server(uvicorn.Server):
    """Stops as a lame duck.

    Attributes:
        told: whether a signal has told it to stop.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._app = app
        self._lame_duck_s = settings.lame_duck_s
        self._shutdown_s = settings.shutdown_s
        self.told = False

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; SIGHUP has the index opened anew."""
        if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._swap)
        await super().serve(sockets)

    def _swap(self) -> None:
        threading.Thread(target=self._app.state.engine.swap, name="swap", daemon=True).start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM waits for the lame duck; a second signal, or Ctrl-C, does not."""
        if not self.told:
            wait_s = self._lame_duck_s if sig == signal.SIGTERM and self.started else 0.0
            _later(wait_s + self._shutdown_s + _LAST_S, _end)
            if wait_s:
                self._app.state.engine.leave()
                _later(wait_s, lambda: super(Server, self).handle_exit(sig, frame))
        if self.told or not (sig == signal.SIGTERM and self.started and self._lame_duck_s):
            super().handle_exit(sig, frame)
        self.told = True


def _later(wait_s: float, call: Any) -> None:
    timer = threading.Timer(wait_s, call)
    timer.daemon = True
    timer.start()


def _end() -> None:
    logger.error("the service did not stop in its time, and is ended")
    os._exit(1)


class _Impatient(HttpToolsProtocol):
    """Closes a connection whose request's headers take too long, or are too long: the parser alone takes any.

    And one whose client does not take its answer: what the answer is made of is held until then.
    """

    timeout_s = 10.0
    least_bytes_per_s = 1.0
    _clock: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _in_headers = False
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._clock = self.loop.call_later(self.timeout_s, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Begin to wait with a request's first bytes, and stop when its headers are there."""
        if self._idle() and self._clock is None:
            self._clock = self.loop.call_later(self.timeout_s, self._give_up)
        going_on = self._in_headers
        super().data_received(data)
        if not self._idle():
            self._stop_clock()
        self._header_bytes = self._header_bytes + len(data) if going_on and self._in_headers else 0
        if self._header_bytes > _MOST_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The headers of a request are longer than {_MOST_HEADER_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """Headers follow."""
        super().on_message_begin()
        self._in_headers = True

    def on_headers_complete(self) -> None:
        """They are over; also those that came in one piece are counted.

        Raises:
            ValueError: they are too long, which the parser tells as 400.
        """
        self._in_headers = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > _MOST_HEADER_BYTES:
            raise ValueError(f"the headers of a request are longer than {_MOST_HEADER_BYTES} bytes")
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client is behind with its answer: from now on it must take some all the while."""
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        self._stop_taking()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_clock()
        self._stop_taking()
        super().connection_lost(exc)

    def _await_taking(self) -> None:
        self._stop_taking()
        self._taking = self.loop.call_later(self.timeout_s, self._look_whether_taken, self._not_taken())

    def _look_whether_taken(self, before: int) -> None:
        self._taking = None
        if before - self._not_taken() >= self.least_bytes_per_s * self.timeout_s:
            self._await_taking()
        else:
            logger.info("a client did not take its answer, and is let go")
            self.transport.abort()

    def _not_taken(self) -> int:
        """Bytes of answers that wait here and, where the system tells, in its own buffer: that is emptied in leaps."""
        waiting = self.transport.get_write_buffer_size()
        with contextlib.suppress(OSError):
            kept = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
            waiting += int.from_bytes(kept, sys.byteorder)
        return waiting

    def _stop_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _idle(self) -> bool:
        """Whether no request has begun: its headers have not all arrived."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        if self._idle():
            self.transport.close()


def _impatient(settings: Settings) -> type[asyncio.Protocol]:
    limits = {
        "timeout_s": settings.header_timeout_s,
        "least_bytes_per_s": max(1.0, settings.min_upload_kb_s * 1024),
    }
    kind: type[asyncio.Protocol] = type("Impatient", (_Impatient,), limits)
    return kind
