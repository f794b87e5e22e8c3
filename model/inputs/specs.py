"""What is fixed about inputs and needs no array library."""

__all__ = ["COARSE_HEADINGS", "MOST_HEADINGS"]

COARSE_HEADINGS = 24
"""Headings tried first where a photo's is unknown, unless another number is given: every 15 degrees."""

MOST_HEADINGS = 360
"""One a degree; finer steps are the second pass's."""
