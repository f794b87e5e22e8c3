"""A running service takes a newer version of its index by itself, soon after a command has made it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from indexer.confidence.storage import CALIBRATION

__all__ = ["calibration_mark", "follow"]

_LONGEST_S = 60.0
"""Between two tries of a version that cannot be served."""


def follow(is_behind: Callable[[], bool], swap: Callable[[], bool], *, every_s: float, gone: threading.Event) -> None:
    """Look again and again whether there is a newer version, and swap; what fails is tried again, ever more seldom.

    Args:
        is_behind: whether there is one.
        swap: serves it; whether that could be done.
        every_s: seconds between two looks.
        gone: ends it.
    """
    pause_s = every_s
    while not gone.wait(pause_s):
        fails = is_behind() and not swap()
        pause_s = min(2 * pause_s, max(every_s, _LONGEST_S)) if fails else every_s


def calibration_mark(folder: Path | None) -> tuple[int, int] | None:
    """Changes with the calibration in an index folder; None where there is none."""
    try:
        status = (folder / CALIBRATION).stat() if folder is not None else None
    except OSError:
        return None
    return status and (status.st_ino, status.st_mtime_ns)
