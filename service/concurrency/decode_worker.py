"""What runs in a decoding process: one photo at a time onto the encoder's canvas, under limits that the kernel keeps.

Decoders are C code that looks at no deadline. So before each photo the process limits its own CPU seconds, by a timer
whose signal ends it and by a resource limit behind that, and its memory. The parent hears of its death and starts
another one.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.localization.answer import PreparedPhoto
from indexer.localization.preparing import prepare_photo
from model.common.errors import BadConfig, BadImage
from model.common.image_formats import load_decoders
from model.inputs.photo_view import GivenView
from model.inputs.transforms import InputSpec
from service.concurrency.decode_costs import Cost, cost_of

__all__ = ["DecodeJob", "TooHeavy", "answer_nothing", "decode", "set_up"]

load_decoders()  # when this is imported, which the parent of all these processes does once for them

_LOOK = Cost(expected_s=0.0, cpu_s=1.0, memory_bytes=256 << 20, pixels=0)
"""What reading a header may take."""


@dataclass(frozen=True)
class DecodeJob:
    """One photo to prepare.

    Attributes:
        photo: the encoded bytes.
        given: what is known of it besides.
        inputs: the encoder's.
        max_pixels: width times height beyond which it is refused.
        at_most_s: expected seconds of CPU beyond which it is handed back undecoded; None takes any.
    """

    photo: bytes
    given: GivenView
    inputs: InputSpec
    max_pixels: int
    at_most_s: float | None


@dataclass(frozen=True)
class TooHeavy:
    """A photo that was handed back: it belongs where it holds nobody up."""

    cost: Cost


def set_up(niceness: int) -> None:
    """Let a signal end the process at once, whatever C code it is in, and let no photo write to the log."""
    warnings.simplefilter("ignore")
    logging.disable()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    os.nice(niceness)


def answer_nothing() -> None:
    """A task that only tells that the process is there."""


def decode(job: DecodeJob) -> PreparedPhoto | TooHeavy:
    """Prepare one photo within the limits that its size and format justify.

    Raises:
        BadImage: the photo cannot be decoded, is too large, takes more memory than it may, or cannot have the angles
            given.
    """
    with _limited(_LOOK):
        cost = cost_of(job.photo, max_pixels=job.max_pixels)
    if job.at_most_s is not None and cost.expected_s > job.at_most_s:
        return TooHeavy(cost)
    with _limited(cost):
        try:
            return prepare_photo(job.photo, job.inputs, job.given, max_pixels=job.max_pixels)
        except BadConfig as error:  # of the caller's making: angles are the only configuration that comes with a photo
            raise BadImage(f"no photo of this shape has the angles given: {error}") from None


@contextmanager
def _limited(cost: Cost) -> Iterator[None]:
    """Bound the block; at the end of its CPU seconds the process dies."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_soft(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + cost.cpu_s) + 2)
    _set_soft(resource.RLIMIT_AS, _address_space() + cost.memory_bytes)
    signal.setitimer(signal.ITIMER_PROF, cost.cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        _set_soft(resource.RLIMIT_AS, resource.RLIM_INFINITY)
        _set_soft(resource.RLIMIT_CPU, resource.RLIM_INFINITY)


def _set_soft(what: int, limit: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _address_space() -> int:
    """Bytes of address space taken now; where the system does not tell, more than it can be."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 1 << 36
    return pages * resource.getpagesize()
