"""Rows of several segments as one new segment, in the order of the curve."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.index.manifest import Manifest
from indexer.index.origins import Origins, first_of_equals, read_origins
from indexer.index.search_spec import SearchChange, asked_of_all
from indexer.index.segment import Segment
from indexer.index.segment_writer import MadeBy, VectorWriter, finish_segment
from indexer.index.trial import joined_trial
from indexer.tiles.tile_table import joined_tables

__all__ = ["grouped_by_source", "source_below", "write_joined"]

_BLOCK_ROWS = 16_384

Rows = NDArray[np.int64]


def grouped_by_source(segments: Sequence[Segment]) -> list[list[int]]:
    """Numbers of the segments that have one source, options and date in common, in the order of the first of each."""
    groups: dict[str, list[int]] = {}
    for number, segment in enumerate(segments):
        groups.setdefault(repr(sorted(segment.manifest.source.items())), []).append(number)
    return list(groups.values())


def write_joined(
    folder: Path, parts: Sequence[tuple[Segment, Rows]], *, source: dict[str, Any], search: SearchChange | None = None
) -> Manifest:
    """Copy rows of segments into one new segment in an empty folder.

    Args:
        folder: where to.
        parts: segments of one encoder, with the rows to take; they must have been verified.
        source: what the manifest says of their source.
        search: what a search without an area may cost, where that is no longer what was asked of the segments.

    Raises:
        BadRecipe: no codes are small enough for the memory, or the recall cannot be reached.
    """
    asked = asked_of_all([(len(rows), segment.manifest.search.asked) for segment, rows in parts])
    tiles = joined_tables([segment.tiles.take(rows) for segment, rows in parts])
    order = np.argsort(tiles.curve_keys, kind="stable")
    owner = np.repeat(np.arange(len(parts)), [len(rows) for _, rows in parts])[order]
    row = np.concatenate([rows for _, rows in parts])[order]
    width = parts[0][0].vectors.shape[1]
    with VectorWriter(folder, (len(order), width)) as writer:
        for at in range(0, len(order), _BLOCK_ROWS):
            part = slice(at, at + _BLOCK_ROWS)
            block = np.empty((len(row[part]), width), np.float16)
            for number, (segment, _) in enumerate(parts):
                own = owner[part] == number
                block[own] = segment.vectors[row[part][own]]
            writer.write(block)
    origins = _joined_origins(parts)
    origins = origins and origins.take(order)
    return finish_segment(
        folder,
        tiles.take(order),
        MadeBy.of_manifest(parts[0][0].manifest),
        search=(search or SearchChange()).of(asked),
        source=source,
        counts=_counts(parts, origins),
        origins=origins,
        trial=lambda: joined_trial([(segment.folder, _trial_kind(segment)) for segment, _ in parts]),
    )


def _trial_kind(segment: Segment) -> str:
    """What a segment's lists were tuned by, without the number."""
    return segment.manifest.search.trial.partition(" ")[2]


def source_below(segment: Segment, base: Path) -> dict[str, Any]:
    """What a segment's manifest says of its source, for an index in another folder `base`."""
    path = Path(os.path.normpath(segment.source_path))
    below = path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
    return segment.manifest.source | {"path": below}


def _joined_origins(parts: Sequence[tuple[Segment, Rows]]) -> Origins | None:
    each = [read_origins(segment.folder) for segment, _ in parts]
    known = [one.take(rows) for one, (_, rows) in zip(each, parts, strict=True) if one is not None]
    return Origins.joined(known) if len(known) == len(parts) else None


def _counts(parts: Sequence[tuple[Segment, Rows]], origins: Origins | None) -> dict[str, int]:
    count = sum(len(rows) for _, rows in parts)
    lost = {name: sum(segment.manifest.tiles.get(name, 0) for segment, _ in parts) for name in ("skipped", "failed")}
    equal = 0
    if origins is not None:
        equal = int((first_of_equals(origins.sha256) != np.arange(count)).sum())
    return {"listed": count + sum(lost.values()), "embedded": count, **lost, "equal": equal}
