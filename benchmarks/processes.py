"""What a process and all below it use, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["cpu_seconds_of", "memory_of"]

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> int:
    """Bytes that a process and all below it hold, what they share divided among them."""
    total = 0
    for each in [pid, *_below(pid)]:
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def cpu_seconds_of(pid: int) -> float:
    """Seconds of CPU that a process, all below it, and those of them that have ended took."""
    total = 0
    for each in [pid, *_below(pid)]:
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return total / _TICKS_PER_S


def _below(pid: int) -> Iterator[int]:
    children: list[str] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):  # each thread has those that it started
        with suppress(OSError):
            children += thread.read_text().split()
    for child in map(int, children):
        yield child
        yield from _below(child)
