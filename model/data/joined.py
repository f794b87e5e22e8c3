"""Several data sets as one: a training that must not forget one of them learns from all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.common.errors import BadDataset
from model.data.pairs import PairSet

__all__ = ["join_pairs"]


def join_pairs(parts: Sequence[PairSet]) -> PairSet:
    """The queries of all data sets in a row, and the references likewise; distances on a plane map are left out.

    Raises:
        BadDataset: none is given, or they do not ask in the same direction.
    """
    if not parts:
        raise BadDataset("there is no data set to join; name at least one")
    if len(parts) == 1:
        return parts[0]
    first, name = parts[0], " + ".join(part.name for part in parts)
    for part in parts[1:]:
        if (part.query_view, part.reference_view) != (first.query_view, first.reference_view):
            raise BadDataset(
                f"{part.name} asks for {part.reference_view} with {part.query_view} and {first.name} for "
                f"{first.reference_view} with {first.query_view}; join data sets of one direction"
            )
    starts = np.cumsum([0, *(len(part.references) for part in parts[:-1])]).tolist()
    return PairSet(
        name,
        tuple(query for part in parts for query in part.queries),
        tuple(reference for part in parts for reference in part.references),
        np.concatenate([part.positives + start for part, start in zip(parts, starts, strict=True)]),
        semi_positives=_moved([part.semi_positives for part in parts], parts, starts),
        more_positives=_moved([part.more_positives for part in parts], parts, starts),
        query_view=first.query_view,
        reference_view=first.reference_view,
    )


def _moved(
    rows: Sequence[tuple[tuple[int, ...], ...]], parts: Sequence[PairSet], starts: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    if not any(rows):
        return ()
    return tuple(
        tuple(row + start for row in one)
        for own, part, start in zip(rows, parts, starts, strict=True)
        for one in own or ((),) * len(part.queries)
    )
