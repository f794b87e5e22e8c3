"""Which bands of a raster are drawn as red, green and blue: those asked for, else those that the file names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from indexer.common.errors import BadSource

__all__ = ["Bands", "choose_bands", "doubts_of_bands"]

_COLOURS = ("red", "green", "blue")
_OTHER_COLOURS = {"cyan": "CMYK", "hue": "HSL", "Y": "YCbCr"}
_EDGE = r"(?![\s_-]*edge)"

Bands = tuple[tuple[int, int, int], int | None]
"""(red, green, blue), and the band that is 0 where there is no data or None; bands count from 1."""


def choose_bands(data: Any, asked: tuple[int, ...] | None, name: str) -> Bands:
    """Those asked for; else red, green and blue where the file names them, else the first three; grey is tripled.

    Args:
        data: the open dataset.
        asked: one for grey or three for colours, and one more that means no data where it is 0; None lets the file say.
        name: of the file, for messages.

    Raises:
        BadSource: it has not the bands asked for, names colours of another kind, or names them in two ways.
    """
    kinds = [colour.name for colour in data.colorinterp]
    alpha = next((band for band, kind in enumerate(kinds, start=1) if kind == "alpha"), None)
    if asked is not None:
        if not 1 <= len(asked) <= 4 or not all(1 <= band <= data.count for band in asked):
            raise BadSource(
                f"bands {asked} of {name}; it has bands 1 to {data.count}, give one or three of them (and one more "
                "that is 0 where there is no data)"
            )
        chosen, alpha = (list(asked), None) if len(asked) % 2 else (list(asked[:-1]), asked[-1])
    else:
        other = next((space for kind, space in _OTHER_COLOURS.items() if kind in kinds), None)
        if other is not None:
            raise BadSource(f"{name} has colours in {other}; turn it into RGB first, or choose bands with --bands")
        named = _named(data, kinds, name)
        chosen = named or [band for band in range(1, data.count + 1) if kinds[band - 1] != "alpha"][:3]
    if not chosen:
        raise BadSource(f"{name} has no band but an alpha channel")
    red, green, blue = chosen if len(chosen) == 3 else [chosen[0]] * 3
    return (red, green, blue), alpha


def doubts_of_bands(data: Any, asked: tuple[int, ...] | None) -> list[str]:
    """A remark where a file has more bands than are drawn and does not say which is which."""
    kinds = [colour.name for colour in data.colorinterp]
    others = len(kinds) - kinds.count("alpha")
    if asked is not None or others in (1, 3) or "palette" in kinds or _by_kind(kinds) or _by_description(data):
        return []
    if others == 2:
        return [
            "it has 2 bands and does not say what the second is; the first is drawn as grey. If the second is 0 where "
            "there is no data, give --bands 1,2"
        ]
    return [
        f"it has {others} bands and does not say which are red, green and blue; the first three are drawn so, and "
        "--bands chooses others"
    ]


def _named(data: Any, kinds: Sequence[str], name: str) -> list[int]:
    """Red, green and blue as the file says, empty where it does not."""
    by_kind, by_description = _by_kind(kinds), _by_description(data)
    if by_kind and by_description and by_kind != by_description:
        one, other = (",".join(map(str, bands)) for bands in (by_kind, by_description))
        raise BadSource(
            f"{name} marks bands {one} as red, green and blue, and calls bands {other} so; give --bands {one} or "
            f"--bands {other} to say which is right"
        )
    return by_kind or by_description


def _by_kind(kinds: Sequence[str]) -> list[int]:
    found = [kinds.index(colour) + 1 for colour in _COLOURS if colour in kinds]
    return found if len(found) == len(_COLOURS) else []


def _by_description(data: Any) -> list[int]:
    """By what the bands are called, where just one is called by each colour: "Red", but not "Red edge"."""
    texts = [str(text or "").lower() for text in data.descriptions]
    found = []
    for colour in _COLOURS:
        bands = [band for band, text in enumerate(texts, start=1) if re.search(rf"\b{colour}\b{_EDGE}", text)]
        if len(bands) != 1:
            return []
        found += bands
    return found if len(set(found)) == len(_COLOURS) else []
