"""How the rows of tiles are counted: the schemes, their check, and the way to (z, x, y) with y southwards and back."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM

__all__ = [
    "AUTO",
    "ROW_SCHEMES",
    "NamePattern",
    "check_scheme",
    "from_xyz",
    "in_words",
    "on_grid",
    "quadkey_tile",
    "require_row_scheme",
    "to_xyz",
]

AUTO = "auto"
"""Take what the source says of itself, else what its format says."""
ROW_SCHEMES = ("xyz", "tms", "zyx")
"""The orders of two numbers below a zoom."""
_WORDS = {
    "xyz": "column, then row from the north",
    "tms": "column, then row from the south",
    "zyx": "row from the north, then column",
    "quadkey": "one key of the digits 0 to 3",
}
_PARTS = {
    "{z}": ("z", r"[0-9]{1,2}"),
    "{x}": ("x", r"[0-9]{1,10}"),
    "{y}": ("y", r"[0-9]{1,10}"),
    "{-y}": ("south", r"[0-9]{1,10}"),
    "{q}": ("q", rf"[0-3]{{1,{MAX_ZOOM}}}"),
    "*": ("", r"[^/]*"),
}

_Ints = NDArray[np.int64]
_Zxy = tuple[int, int, int]


def check_scheme(scheme: str) -> None:
    """Make sure that a scheme is one.

    Raises:
        BadSource: it is neither a known name nor a pattern of file names.
    """
    if "{" in scheme:
        NamePattern(scheme)
    elif scheme != AUTO and scheme not in _WORDS:
        raise BadSource(
            f"scheme is {scheme!r}; give auto (as the source says), xyz (y counts southwards), tms (northwards), zyx "
            "(row before column), quadkey, or a pattern of file names such as {z}_{x}_{y}.png"
        )


def require_row_scheme(scheme: str, where: object) -> None:
    """Refuse schemes of file names for a source that numbers its tiles.

    Raises:
        BadSource: the scheme is a quadkey or a pattern.
    """
    if scheme != AUTO and scheme not in ROW_SCHEMES:
        raise BadSource(
            f"{where} numbers its tiles, so --scheme {scheme} does not apply; give {', '.join(ROW_SCHEMES)}"
        )


def in_words(scheme: str) -> str:
    """What a scheme means, for a message."""
    return f"{scheme} ({_WORDS[scheme]})" if scheme in _WORDS else scheme


def to_xyz(stored: _Ints, scheme: str) -> _Ints:
    """[N, 3] (z, x, y southwards) of [N, 3] (z, first, second) as a source holds them; rows must be `on_grid`."""
    z, first, second = stored.T
    if scheme == "zyx":
        return np.stack([z, second, first], axis=1)
    return np.stack([z, first, (np.int64(1) << z) - 1 - second if scheme == "tms" else second], axis=1)


def from_xyz(z: int, x: int, y: int, scheme: str) -> _Zxy:
    """(z, first, second) under which a source holds the tile (z, x, y southwards)."""
    if scheme == "zyx":
        return z, y, x
    return z, x, (1 << z) - 1 - y if scheme == "tms" else y


def on_grid(stored: _Ints) -> NDArray[np.bool_]:
    """Which of [N, 3] (z, first, second) are tiles of the Web Mercator grid, in whichever scheme."""
    side = np.int64(1) << np.clip(stored[:, 0], 0, MAX_ZOOM)
    inside: NDArray[np.bool_] = (stored[:, 0] <= MAX_ZOOM) & (stored.min(axis=1, initial=0) >= 0)
    inside &= stored[:, 1:].max(axis=1, initial=0) < side
    return inside


class NamePattern:
    """Tile names of a form of one's own, such as `{z}_{x}_{y}.png`.

    `{-y}` counts from the south, `{q}` is a quadkey, `*` stands for anything within a part of the path.

    Example:
        >>> NamePattern("L{z}/{y}-{x}.png").tile("L15/11000-17000.png")
        (15, 17000, 11000)

    Raises:
        BadSource: the pattern does not give a tile.
    """

    def __init__(self, pattern: str) -> None:
        names: list[str] = []
        self._expression = re.compile("".join(_expression(part, names) for part in re.split(r"(\{.*?\}|\*)", pattern)))
        given = sorted({name for name in names if name})
        if given not in (["q"], ["x", "y", "z"], ["south", "x", "z"]):
            raise BadSource(
                f"scheme {pattern!r} does not place a tile; it needs {{z}}, {{x}} and {{y}} (or {{-y}}, from the "
                "south), or {q} for a quadkey"
            )

    def tile(self, name: str) -> _Zxy | None:
        """(z, x, y southwards) of a path relative to the folder, None where it has another form."""
        match = self._expression.fullmatch(name)
        if match is None:
            return None
        parts = match.groupdict()
        if "q" in parts:
            return quadkey_tile(parts["q"])
        z, x = int(parts["z"]), int(parts["x"])
        if z > MAX_ZOOM:
            return None
        y = int(parts["y"]) if "y" in parts else (1 << z) - 1 - int(parts["south"])
        return (z, x, y) if x < 1 << z and 0 <= y < 1 << z else None


def quadkey_tile(digits: str) -> _Zxy:
    """(z, x, y southwards) of a quadkey."""
    x = int("".join(str(int(digit) & 1) for digit in digits), 2)
    y = int("".join(str(int(digit) >> 1) for digit in digits), 2)
    return len(digits), x, y


def _expression(part: str, names: list[str]) -> str:
    """The regular expression of a piece of a pattern; its name is added to those seen."""
    if part not in _PARTS:
        if "{" in part or "}" in part:
            raise BadSource(f"scheme has {part!r}; known are {', '.join(_PARTS)}")
        return re.escape(part)
    name, digits = _PARTS[part]
    if not name:
        return digits
    if name in names:  # a second time the same number is wanted
        return f"(?P={name})"
    names.append(name)
    return f"(?P<{name}>{digits})"
