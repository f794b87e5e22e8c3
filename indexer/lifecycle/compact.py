"""An index of many segments as few: those of one source become one, in the order of the curve, without removed rows."""

from __future__ import annotations

import numpy as np

from indexer.index.search_spec import SearchChange
from indexer.lifecycle.change import IndexChange
from indexer.lifecycle.copies import grouped_by_source, write_joined
from model.common.atomic_io import staged_folder

__all__ = ["compact_index"]


def compact_index(change: IndexChange, *, search: SearchChange | None = None) -> int:
    """Join the segments of each source; the number of segments before less that after, and 0 where all is compact.

    The index answers what it answered, but for the order of equal scores, and keeps its digest. The change must have
    been opened with `verify`.

    Args:
        change: of the index.
        search: what a search without an area may cost, where that is no longer what was asked of the segments.

    Raises:
        BadRecipe: no codes are small enough for the memory, or the recall cannot be reached.
    """
    segments = change.index.segments
    removed, added, joined = change.removed(), [], 0
    for numbers in grouped_by_source(segments):
        if len(numbers) == 1 and segments[numbers[0]].removed is None:
            continue
        target = change.new_segment()
        parts = [(segments[number], segments[number].live_rows) for number in numbers]
        with staged_folder(target) as staged:
            write_joined(staged, parts, source=segments[numbers[0]].manifest.source, search=search)
        added.append(target)
        joined += len(numbers)
        for number in numbers:
            removed[number] = np.ones_like(removed[number])
    if added:
        change.publish(removed, added, same_content=True)
    return joined
