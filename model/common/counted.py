"""A number with what it counts, for messages."""

from __future__ import annotations

__all__ = ["counted"]


def counted(count: int, one: str) -> str:
    """The count and its noun, in the plural where it is not one.

    Args:
        count: how many.
        one: the noun in the singular, one that takes an s.

    Example:
        >>> counted(1, "segment"), counted(1024, "tile")
        ('1 segment', '1,024 tiles')
    """
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
