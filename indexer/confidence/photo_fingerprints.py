"""Which photos something was fitted on, so that a check can tell when it meets them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.common.atomic_io import sha256_file

__all__ = ["PhotoSet"]

_DIGITS = 8
"""Of a photo's SHA-256: with a thousand on both sides, one check in four thousand would take one for another."""


@dataclass(frozen=True)
class PhotoSet:
    """Some photos, told by their bytes.

    Attributes:
        names: of the data sets that they come from.
        prints: the first eight hexadecimal digits of each photo's SHA-256, ascending.

    Example:
        >>> one, other = PhotoSet(("a",), ("0000aaaa", "0000bbbb")), PhotoSet(("b",), ("0000bbbb", "0000bbbb"))
        >>> one.shared_with(other), other.shared_with(one)
        (1, 2)
    """

    names: tuple[str, ...]
    prints: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], paths: Sequence[Path]) -> PhotoSet:
        """Read the photos."""
        return cls(tuple(names), tuple(sorted(sha256_file(path)[:_DIGITS] for path in paths)))

    @property
    def count(self) -> int:
        """How many photos."""
        return len(self.prints)

    def shared_with(self, other: PhotoSet) -> int:
        """How many of these are among the others, too."""
        known = set(other.prints)
        return sum(one in known for one in self.prints)

    def as_json(self) -> dict[str, Any]:
        """One object; the prints one after another."""
        return {"names": list(self.names), "count": self.count, "prints": "".join(self.prints)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PhotoSet:
        """The reverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of another kind.
        """
        text = content["prints"]
        prints = tuple(text[start : start + _DIGITS] for start in range(0, len(text), _DIGITS))
        if len(prints) != content["count"]:
            raise ValueError(f"its photos are {content['count']!r}, but it has prints of {len(prints)}")
        return cls(tuple(content["names"]), prints)
