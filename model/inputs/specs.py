"""What is fixed about inputs and needs no array library."""

from typing import Literal

__all__ = ["COARSE_HEADINGS", "MOST_HEADINGS", "View"]

COARSE_HEADINGS = 24
"""Headings tried first where a photo's is unknown, unless another number is given: every 15 degrees."""

MOST_HEADINGS = 360
"""One a degree; finer steps are the second pass's."""

View = Literal["ground", "satellite"]
"""The two sides of a pair."""
