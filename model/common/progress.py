"""How far a long step is: a bar on a terminal, and where output is piped a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from tqdm import tqdm

__all__ = ["EVERY_S", "ProgressBar", "progress"]

EVERY_S = 5.0
"""Seconds between two lines; a step that takes less says nothing, and one of many minutes says less often."""
_AT_MOST_S = 60.0
_LINE = "{desc}{n_fmt} of {total_fmt}{unit} ({percentage:.0f} %), {rate_noinv_fmt}, {remaining} left"


class ProgressBar(Protocol):
    """What `progress` hands out."""

    n: int

    def update(self, n: int = 1) -> Any:
        """`n` more are done."""

    def set_postfix_str(self, s: str = "") -> Any:
        """Show a remark at the end."""


class _Lines:
    """Progress in lines, each complete, for a file or a pipe."""

    def __init__(self, total: int, label: str, unit: str, done: int) -> None:
        self.n = self._first = done
        self._total, self._label, self._unit = total, label and f"{label}: ", f" {unit}"
        self._began = self._last = time.monotonic()
        self._remark = ""

    def update(self, n: int = 1) -> None:
        self.n += n
        now = time.monotonic()
        elapsed_s = now - self._began
        if self.n < self._total and now - self._last >= min(max(EVERY_S, elapsed_s / 20), _AT_MOST_S):
            self._last = now
            sys.stderr.write(self._line(elapsed_s) + "\n")
            sys.stderr.flush()

    def set_postfix_str(self, s: str = "") -> None:
        self._remark = s

    def _line(self, elapsed_s: float) -> str:
        line = tqdm.format_meter(
            self.n, self._total, elapsed_s, prefix=self._label, unit=self._unit, bar_format=_LINE, initial=self._first
        )
        return f"{line}, {self._remark}" if self._remark else str(line)


@contextmanager
def progress(
    total: int, label: str = "", *, unit: str, done: int = 0, quiet: bool = False, keep: bool = False
) -> Iterator[ProgressBar]:
    """Show how far a step is, on stderr.

    Args:
        total: of what is counted.
        label: what is being done.
        unit: what is counted, in the plural.
        done: how many are done already.
        quiet: show nothing.
        keep: leave the bar on the terminal at the end.
    """
    if quiet or sys.stderr.isatty():
        options: dict[str, Any] = {"desc": label or None, "unit": f" {unit}", "initial": done, "leave": keep}
        with tqdm(total=total, disable=quiet, file=sys.stderr, smoothing=0.1, **options) as bar:
            yield bar
    else:
        yield _Lines(total, label, unit, done)
