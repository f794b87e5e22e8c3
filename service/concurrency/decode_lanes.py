"""Decoding in processes that can be killed, in two lanes: a large photo never holds up a common one.

Each process is a pool of one (`pebble`), so that the end of one touches no other: it is killed when its photo takes too
long or its client has left, and started anew. A photo goes to the light lane first, which hands it back undecoded
where its header says that it will take long; then it waits in the heavy lane, whose processes are nice.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import forkserver

from pebble import ProcessExpired, ProcessPool

from indexer.localization.answer import PreparedPhoto
from model.common.errors import BadImage
from model.inputs.photo_view import GivenView
from model.inputs.transforms import InputSpec
from service.concurrency.decode_costs import LIGHT_S
from service.concurrency.decode_worker import DecodeJob, TooHeavy, answer_nothing, decode, set_up
from service.errors import WorkerLost

__all__ = ["DecodeLanes"]

logger = logging.getLogger(__name__)

_NICENESS = 5
_TRIES = 2
_OUT_OF_TIME = frozenset({signal.SIGPROF, signal.SIGXCPU})
_OWN_FAULT = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE})


class DecodeLanes:
    """The decoding processes of a service.

    Example:
        >>> lanes = DecodeLanes(light=2, heavy=1, max_pixels=64_000_000)  # doctest: +SKIP
        >>> asyncio.run(lanes.prepare(read, GivenView(), inputs))  # doctest: +SKIP
    """

    def __init__(self, *, light: int, heavy: int, max_pixels: int) -> None:
        """Start the processes; they load while the network does.

        Args:
            light: processes for common photos.
            heavy: processes for photos that take long.
            max_pixels: width times height beyond which a photo is refused.
        """
        self._max_pixels = max_pixels
        self._light = _Lane(light, niceness=0)
        self._heavy = _Lane(heavy, niceness=_NICENESS)

    async def prepare(self, read: Callable[[], Awaitable[bytes]], given: GivenView, inputs: InputSpec) -> PreparedPhoto:
        """Decode a photo and lay it on the canvas; when the caller is cancelled, its process is killed.

        Args:
            read: gives the encoded bytes, once a process is free; so only photos that are decoded are in memory.
            given: what is known of the photo besides.
            inputs: the encoder's.

        Raises:
            BadImage: it cannot be decoded, took more time or memory than a picture of its size may, or cannot have the
                angles given.
            WorkerLost: its processes died for no fault of the photo.
        """
        job = DecodeJob(b"", given, inputs, self._max_pixels, LIGHT_S)
        result = await self._light.run(job, read)
        if isinstance(result, TooHeavy):
            result = await self._heavy.run(replace(job, at_most_s=None), read)
        assert isinstance(result, PreparedPhoto)
        return result

    def crowded(self) -> bool:
        """Whether common photos wait for a process; may be asked from any thread."""
        return self._light.waiting > 0

    def warm(self) -> None:
        """Wait until every process has loaded its decoders."""
        for lane in (self._light, self._heavy):
            lane.warm()

    def close(self) -> None:
        """End the processes, whatever they do."""
        for lane in (self._light, self._heavy):
            lane.close()


class _Lane:
    def __init__(self, count: int, *, niceness: int) -> None:
        self._workers = [_Process(niceness) for _ in range(count)]
        self._free: asyncio.LifoQueue[_Process] = asyncio.LifoQueue()  # the last one used has its pages warm
        for worker in self._workers:
            self._free.put_nowait(worker)
        self.waiting = 0

    async def run(self, job: DecodeJob, read: Callable[[], Awaitable[bytes]]) -> PreparedPhoto | TooHeavy:
        self.waiting += 1
        try:
            worker = await self._free.get()
        finally:
            self.waiting -= 1
        try:
            return await worker.run(replace(job, photo=await read()))
        finally:
            self._free.put_nowait(worker)

    def warm(self) -> None:
        for started in [worker.ping() for worker in self._workers]:
            started.result()

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


class _Process:
    """One process, and the next one when it has died."""

    def __init__(self, niceness: int) -> None:
        self._niceness = niceness
        self._pool = self._start()

    async def run(self, job: DecodeJob) -> PreparedPhoto | TooHeavy:
        for _ in range(_TRIES):
            try:
                result: PreparedPhoto | TooHeavy = await asyncio.wrap_future(self._submit(job))
                return result
            except ProcessExpired as death:
                _judge(death)
            except BrokenProcessPool as error:  # it died while it had nothing to do
                logger.warning("a decoding process is replaced: %s", error)
        raise WorkerLost("the decoding process died twice; the server is short of memory, or is being stopped")

    def _submit(self, job: DecodeJob) -> Future[PreparedPhoto | TooHeavy]:
        try:
            return self._pool.schedule(decode, args=(job,))
        except RuntimeError:  # the pool is no more
            self.close()
            self._pool = self._start()
            return self._pool.schedule(decode, args=(job,))

    def ping(self) -> Future[None]:
        return self._pool.schedule(answer_nothing)

    def close(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _start(self) -> ProcessPool:
        pool = ProcessPool(1, initializer=set_up, initargs=(self._niceness,), context=_fork_server())
        pool.schedule(answer_nothing)  # a pool starts with its first task
        return pool


def _fork_server() -> multiprocessing.context.ForkServerContext:
    """What processes are forked from: it has their libraries, and neither threads nor a network."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([decode.__module__, ProcessPool.__module__])
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


def _judge(death: ProcessExpired) -> None:
    """Whether the photo is to blame; if not, it may be tried once more.

    Raises:
        BadImage: it is.
    """
    number = -int(death.exitcode or 0)
    logger.warning("a decoding process ended by %s and is replaced", _name_of(number))
    if number in _OUT_OF_TIME:
        raise BadImage("the image takes far more time to decode than a picture of its size should; save it anew")
    if number in _OWN_FAULT:
        raise BadImage("the image made its decoder fail; save it anew")


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"exit status {-number}"
