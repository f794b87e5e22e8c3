"""A process that runs one call at a time; it is killed when its caller leaves, and the next call gets another.

The event loop itself writes to it and reads from it: a call changes threads as little as one over the network does.
Processes are forked from a server process that has loaded what they need and nothing else, so one costs milliseconds.
"""

from __future__ import annotations

import asyncio
import io
import logging
import multiprocessing
import os
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, ParamSpec, TypeVar

__all__ = ["ProcessDied", "WorkerProcess"]

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

_LENGTH = struct.Struct("!i")
"""Stands before a message, as `Connection` of multiprocessing has it."""
_READ_BYTES = 1 << 18
_PATIENCE_S = 5.0
"""In which a killed process is gone."""


class ProcessDied(RuntimeError):
    """The process ended before it answered.

    Attributes:
        exitcode: as multiprocessing tells it, that of a signal negative; None where it is not known.
    """

    def __init__(self, exitcode: int | None) -> None:
        super().__init__(f"a process ended with {exitcode} before it answered")
        self.exitcode = exitcode


@dataclass(frozen=True)
class _Failure:
    """What a call raised."""

    error: Exception


class WorkerProcess:
    """One process, and the next one when it has died. One call at a time, of whichever event loop.

    Example:
        >>> worker = WorkerProcess(print, "hello from there")  # doctest: +SKIP
        >>> asyncio.run(worker.run(os.getpid))  # doctest: +SKIP
        4711
    """

    def __init__(self, set_up: Callable[_P, object], *args: _P.args, **options: _P.kwargs) -> None:
        """Start the process, which gets ready while the caller goes on.

        Args:
            set_up: called in each process first; its module, and what that imports, is loaded once for all.
            args: its arguments.
            options: likewise.
        """
        self._set_up, self._args, self._options = set_up, args, options
        self._starting = threading.Lock()
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="start")  # has a thread only once a process died
        self._closed = False
        self._asking = False
        self._usable = True
        self._socket, self._process = self._start()

    async def run(self, call: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
        """Call a function of a module there; when the caller is cancelled, the process is killed.

        Raises:
            ProcessDied: it ended before it answered.
            Exception: what the function raised; a note on it tells where.
        """
        if not self._usable or self._has_died():
            await self._elsewhere(self._replace)
        self._asking, self._usable = True, False
        try:
            outcome = await self._ask(_message((call, args, options)))
            self._usable = True
        except (OSError, EOFError):
            raise ProcessDied(await self._elsewhere(self._end)) from None
        except BaseException:
            self._kill()
            raise
        finally:
            self._asking = False
            if self._closed:
                self._socket.close()
        if isinstance(outcome, _Failure):
            raise outcome.error
        result: _T = outcome
        return result

    def close(self) -> None:
        """End the process, whatever it does; a call that still waits for it is told that it died."""
        with self._starting:
            self._closed = True
            self._end()
            if not self._asking:
                self._socket.close()
        self._starter.shutdown(wait=False)

    async def _elsewhere(self, work: Callable[[], _T]) -> _T:
        """Do what waits for the system in a thread.

        Raises:
            ProcessDied: the worker was closed meanwhile.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._starter, work)
        except RuntimeError:  # its threads are no more
            raise ProcessDied(None) from None

    async def _ask(self, question: memoryview) -> Any:
        """Send a call and read its outcome.

        Raises:
            OSError: the process is gone.
            EOFError: likewise.
        """
        loop, answer = asyncio.get_running_loop(), bytearray()
        await loop.sock_sendall(self._socket, question)
        end = _LENGTH.size
        while len(answer) < end:
            part = await loop.sock_recv(self._socket, _READ_BYTES)
            if not part:
                raise EOFError
            answer += part
            if end == _LENGTH.size <= len(answer):
                end += _LENGTH.unpack_from(answer)[0]
        return ForkingPickler.loads(memoryview(answer)[_LENGTH.size :])

    def _has_died(self) -> bool:
        """Whether an idle process is gone: nothing else makes its end of the line readable."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        logger.warning("a process that had nothing to do is gone (%s), and is replaced", self._process.exitcode)
        return True

    def _replace(self) -> None:
        """Start another process in the place of one that is gone, or will be.

        Raises:
            ProcessDied: the worker was closed, or the system starts no process now.
        """
        with self._starting:
            if self._closed:
                raise ProcessDied(None)
            self._end()
            self._socket.close()
            try:
                self._socket, self._process = self._start()
            except (OSError, EOFError) as error:
                logger.error("no process can be started: %s", error)
                raise ProcessDied(None) from error
            self._usable = True

    def _start(self) -> tuple[socket.socket, BaseProcess]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            arguments = (theirs, self._set_up, self._args, self._options)
            process = _fork_server(self._set_up.__module__).Process(target=_serve, args=arguments, daemon=True)
            process.start()
        return ours, process

    def _kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()

    def _end(self) -> int | None:
        """Have the process end, and say how it did."""
        self._kill()
        self._process.join(_PATIENCE_S)
        return self._process.exitcode


def _serve(line: socket.socket, set_up: Callable[..., object], args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """What the process does: one call after the other, until nobody is at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which ends its processes
    set_up(*args, **options)
    with Connection(line.detach()) as questions, suppress(EOFError, OSError):
        while True:
            call, its_args, its_options = questions.recv()
            answer = _answer(call, its_args, its_options)
            del its_args, its_options  # a photo need not stay until the next one comes
            questions.send_bytes(answer)


def _answer(call: Callable[..., object], args: tuple[Any, ...], options: dict[str, Any]) -> memoryview:
    try:
        return ForkingPickler.dumps(call(*args, **options))
    except Exception as error:
        error.add_note(traceback.format_exc())
        try:
            answer = ForkingPickler.dumps(_Failure(error))
            ForkingPickler.loads(answer)  # what cannot be read there would not be told
        except Exception:
            answer = ForkingPickler.dumps(_Failure(RuntimeError(f"{type(error).__name__}: {error}")))
        return answer


def _message(content: object) -> memoryview:
    """What `Connection.recv` reads as that, without a second copy of a large photo."""
    buffer = io.BytesIO()
    buffer.write(bytes(_LENGTH.size))
    ForkingPickler(buffer).dump(content)
    message = buffer.getbuffer()
    _LENGTH.pack_into(message, 0, len(message) - _LENGTH.size)
    return message


def _fork_server(module: str) -> ForkServerContext:
    """What processes are forked from: it has loaded a module, and has neither threads nor a network."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module, __name__])
    with _own_path():
        forkserver.ensure_running()
    return context


@contextmanager
def _own_path() -> Iterator[None]:
    """Let Python processes that are started find what this one finds: up to 3.13 the fork server is not told."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in sys.path if part)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
