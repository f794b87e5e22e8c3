"""Processes that draw or decode, and that end when the one that started them does."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection, get_context, parent_process
from threading import Thread

__all__ = ["end_with_parent", "worker_pool"]


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of freshly started processes, which no kill of this process leaves behind.

    Ctrl-C reaches the whole group of a terminal; it is this process that answers it, so workers pass over it.

    Args:
        workers: how many.
    """
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=end_with_parent)


def end_with_parent() -> None:
    """Let this process end when the one that started it does, and leave Ctrl-C to that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_await_parent, name="await-parent", daemon=True).start()


def _await_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
