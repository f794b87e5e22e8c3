"""Decoding in processes that can be killed, in two lanes: a large photo never holds up a common one.

The end of one process touches no other: it is killed when its photo takes too long or its client has left, and started
anew. A photo goes to the light lane first, which hands it back undecoded where its header says that it will take long;
then it waits in the heavy lane, whose processes are nice.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace

from indexer.localization.answer import PreparedPhoto
from model.common.errors import BadImage
from model.inputs.photo_view import GivenView
from model.inputs.transforms import InputSpec
from service.concurrency.decode_costs import LIGHT_S
from service.concurrency.decode_worker import DecodeJob, TooHeavy, answer_nothing, decode, set_up
from service.concurrency.worker_process import ProcessDied, WorkerProcess
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
        asyncio.run(self._warm())

    def close(self) -> None:
        """End the processes, whatever they do."""
        for worker in self._workers():
            worker.close()

    async def _warm(self) -> None:
        await asyncio.gather(*(worker.run(answer_nothing) for worker in self._workers()))

    def _workers(self) -> list[WorkerProcess]:
        return [*self._light.workers, *self._heavy.workers]


class _Lane:
    def __init__(self, count: int, *, niceness: int) -> None:
        self.workers = [WorkerProcess(set_up, niceness) for _ in range(count)]
        self._free: asyncio.LifoQueue[WorkerProcess] = asyncio.LifoQueue()  # the last one used has its pages warm
        for worker in self.workers:
            self._free.put_nowait(worker)
        self.waiting = 0

    async def run(self, job: DecodeJob, read: Callable[[], Awaitable[bytes]]) -> PreparedPhoto | TooHeavy:
        self.waiting += 1
        try:
            worker = await self._free.get()
        finally:
            self.waiting -= 1
        try:
            return await _decoded(worker, replace(job, photo=await read()))
        finally:
            self._free.put_nowait(worker)


async def _decoded(worker: WorkerProcess, job: DecodeJob) -> PreparedPhoto | TooHeavy:
    for _ in range(_TRIES):
        try:
            return await worker.run(decode, job)
        except ProcessDied as death:
            _judge(death)
    raise WorkerLost("the decoding process died twice; the server is short of memory, or is being stopped")


def _judge(death: ProcessDied) -> None:
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
