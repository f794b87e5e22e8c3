"""When Python looks for garbage: each look at all values costs more, the more of them a list of files makes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["garbage_left"]


@contextmanager
def garbage_left() -> Iterator[None]:
    """Let nobody look for cyclic garbage in a block that makes many values and no cycles.

    Example:
        >>> with garbage_left():
        ...     gc.isenabled()
        False
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()
