"""What a search without an area may cost, and how good it must be."""

from __future__ import annotations

import re
from typing import Annotated

from annotated_types import Ge, Gt, Le

from indexer.common.errors import BadRecipe
from model.common.flags import Option
from model.common.specs import Wanted, spec

__all__ = ["SearchSpec", "parse_size"]

_UNITS = {"": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_size(text: str) -> int:
    """Bytes from `4GB`, `500 MB` or a plain number.

    Example:
        >>> parse_size("1.5GB")
        1500000000
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]B)?\s*", text)
    if found is None:
        raise ValueError(f"{text!r} is no size; give bytes, or such as 500MB or 4GB")
    return round(float(found[1]) * _UNITS[found[2] or ""])


@spec(error=BadRecipe)
class SearchSpec:
    """How an index is searched where no area is given: exactly, or by lists whose candidates are compared exactly.

    Attributes:
        latency_ms: longest time that comparing all vectors with a query may take on this machine, as it is measured;
            beyond it lists are made.
        memory: bytes that the vectors, or else the codes of the lists, may take; None for any number.
        target_recall: least share of the ten exact answers that the lists must find.
    """

    latency_ms: Annotated[
        float, Ge(0), Option("longest time of comparing all tiles with a photo; beyond it, lists are made", "MS")
    ] = 50.0
    memory: Annotated[
        int | None, Gt(0), Option("memory that the vectors, or their codes, may take", "SIZE", parse=parse_size)
    ] = None
    target_recall: Annotated[
        float,
        Gt(0),
        Le(1),
        Wanted("a share in (0, 1]"),
        Option("least share of the ten exact answers that lists must find", "SHARE"),
    ] = 0.95
