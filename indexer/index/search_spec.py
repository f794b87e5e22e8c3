"""What a search without an area may cost, and how good it must be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from indexer.common.errors import BadRecipe
from model.common.flags import Option
from model.common.specs import Wanted, spec

__all__ = ["SearchChange", "SearchSpec", "asked_of_all", "parse_size"]

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

    @property
    def asked(self) -> dict[str, Any]:
        """What differs from the defaults, as a manifest keeps it."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) != one.default}


@spec(error=BadRecipe)
class SearchChange:
    """What a segment that is made of others is asked beyond what was asked of them; None leaves that as it is.

    Attributes:
        latency_ms: as of `SearchSpec`.
        memory: as of `SearchSpec`.
        target_recall: as of `SearchSpec`.
    """

    latency_ms: Annotated[
        float | None,
        Ge(0),
        Option("longest time of comparing all tiles with a photo; beyond it, lists are made (default: as built)", "MS"),
    ] = None
    memory: Annotated[
        int | None,
        Gt(0),
        Option("memory that the vectors, or their codes, may take (default: as built)", "SIZE", parse=parse_size),
    ] = None
    target_recall: Annotated[
        float | None,
        Gt(0),
        Le(1),
        Wanted("a share in (0, 1]"),
        Option("least share of the ten exact answers that lists must find (default: as built)", "SHARE"),
    ] = None

    def of(self, asked: Mapping[str, Any]) -> SearchSpec:
        """What is asked now, where `asked` was before."""
        given = {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}
        return replace(SearchSpec(**asked), **given)


def asked_of_all(parts: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[str, Any]:
    """What was asked of several segments as what is asked of one: of two answers that of the larger counts.

    Args:
        parts: (number of rows, what was asked) of each.

    Example:
        >>> asked_of_all([(1000, {"latency_ms": 0.0}), (10, {"latency_ms": 9.0, "memory": 4}), (99, {})])
        {'latency_ms': 0.0, 'memory': 4}
    """
    joined: dict[str, Any] = {}
    for _, asked in sorted(parts, key=lambda part: part[0]):
        joined |= asked
    return joined
