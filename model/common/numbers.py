"""Numbers as people write them, not as Python does."""

from __future__ import annotations

import math

__all__ = ["parse_number"]


def parse_number(text: str, *, decimal_comma: bool = False) -> float:
    """A number as people write it, not a number where it is none; to Python, 47_1 would be 471.

    Example:
        >>> parse_number(" 47.1 "), parse_number("47,1", decimal_comma=True), parse_number("47_1")
        (47.1, 47.1, nan)
    """
    text = text.strip()
    if decimal_comma and "." not in text:
        text = text.replace(",", ".", 1)
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
