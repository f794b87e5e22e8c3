"""What is fixed about inputs and needs no array library."""

from typing import Literal

__all__ = ["COARSE_HEADINGS", "MOST_HEADINGS", "SWEPT_HEADINGS", "VIEWS", "View"]

COARSE_HEADINGS = 24
"""Headings tried first where a photo's is unknown, unless another number is given: every 15 degrees."""

MOST_HEADINGS = 360
"""One a degree; finer steps are the second pass's."""

SWEPT_HEADINGS = 32
"""At least so many are computed at once by a network whose features can be turned."""

View = Literal["ground", "satellite"]
VIEWS: tuple[View, View] = ("ground", "satellite")
"""The two sides of a pair."""
