"""Memory that a training step frees and the next one takes again: kept by the process, not given back in between."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of `mallopt` in glibc's malloc.h."""


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed for what is taken next; from here on, for the whole process.

    glibc maps every block of more than 32 MiB by itself and unmaps it when it is freed, so the kernel hands out each
    page of a step's activations anew, zeroed; on a CPU that can take as long as the step's arithmetic
    (docs/training.md, Speed). The price: a process stays as large as it once was.

    Returns:
        Whether this C library can do so; musl, macOS and Windows have nothing like it, and stay as they are.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, -1))
