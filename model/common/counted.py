"""A number with what it counts, for messages."""

from __future__ import annotations

__all__ = ["counted"]


def counted(count: int, one: str, does: str = "", do: str = "") -> str:
    """The count and its noun, in the plural where it is not one; and a verb that agrees with it.

    Args:
        count: how many.
        one: the noun in the singular, one that takes an s.
        does: a verb in the singular, where one follows.
        do: that verb in the plural.

    Example:
        >>> counted(1, "segment"), counted(1024, "tile")
        ('1 segment', '1,024 tiles')
        >>> counted(1, "row", "repeats", "repeat"), counted(3, "row", "repeats", "repeat")
        ('1 row repeats', '3 rows repeat')
    """
    noun, verb = (one, does) if count == 1 else (f"{one}s", do)
    return f"{count:,} {noun} {verb}" if verb else f"{count:,} {noun}"
