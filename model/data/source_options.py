"""The options behind the name of a data set: `NAME?root=DIR&labels=corrected`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.common.errors import BadDataset

__all__ = ["source_options"]


def source_options(text: str, tail: str, known: Sequence[str]) -> dict[str, str]:
    """`root=A&b&labels=corrected` -> root `A&b`, labels `corrected`: an ampersand parts before a known name only.

    Args:
        text: the whole name, for messages.
        tail: what stands behind its question mark; "" for nothing.
        known: the names that there are.

    Raises:
        BadDataset: an unknown name, one without a value, or one given twice.
    """
    values: dict[str, str] = {}
    for part in re.split(rf"&(?=(?:{'|'.join(known)})=)", tail) if tail else []:
        option, equals, value = part.partition("=")
        if option not in known or not equals or not value or option in values:
            raise BadDataset(
                f"{text}: {part!r} is no option; known are {', '.join(f'{one}=' for one in known)}, once each"
            )
        values[option] = value
    return values
