"""Which pictures of a data set are there: a whole folder at a time, with what stands in a missing one's place."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadDataset
from model.data.benchmarks.benchmark import Listing
from model.data.pairs import PairSet

__all__ = ["Presence", "find_pictures", "without_missing"]

_OTHER_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".JPG", ".JPEG", ".PNG")


@dataclass(frozen=True)
class Presence:
    """What of a data set is on the disk.

    Attributes:
        queries: bool [Q], whether the picture is there and not empty.
        references: bool [R], likewise.
        missing: those that are not, queries first.
        misnamed: (missing path, the file that seems to be it) for each that stands there under another name.
    """

    queries: NDArray[np.bool_]
    references: NDArray[np.bool_]
    missing: tuple[Path, ...]
    misnamed: tuple[tuple[Path, Path], ...]

    @property
    def named(self) -> int:
        """Pictures in all."""
        return len(self.queries) + len(self.references)


def find_pictures(pairs: PairSet) -> Presence:
    """Look for all pictures; a folder is listed once, however many of its files are asked for."""
    paths = [item.path for item in pairs.queries] + [item.path for item in pairs.references]
    folders = {folder: _files_in(folder) for folder in {path.parent for path in paths}}
    there = np.array([path.name in folders[path.parent] for path in paths], np.bool_)
    queries, references = np.split(there, [len(pairs.queries)])
    missing = tuple(path for path, found in zip(paths, there, strict=True) if not found)
    twins = ((path, _twin(path.name, folders[path.parent])) for path in missing)
    return Presence(queries, references, missing, tuple((path, path.with_name(twin)) for path, twin in twins if twin))


def without_missing(listing: Listing, presence: Presence, *, paired: bool) -> PairSet:
    """The data set without what is missing; its name says how much that is.

    A query goes with its picture, or where none of its positives is left; a semi-positive, or one positive of several,
    goes alone.

    Args:
        listing: the whole.
        presence: of its pictures.
        paired: whether a tile goes too where its last query does.

    Raises:
        BadDataset: nothing is left.
    """
    pairs = listing.pairs
    rows = [[row for row in positives.tolist() if presence.references[row]] for positives in pairs.positive_rows()]
    asked = np.array([bool(there and left) for there, left in zip(presence.queries, rows, strict=True)])
    kept = presence.references.copy()
    if paired:
        wanted = np.zeros(len(kept), np.bool_)
        wanted[[row for query in np.flatnonzero(asked) for row in rows[query]]] = True
        kept &= wanted
    if not asked.any():
        raise BadDataset(f"{pairs.name}: not one pair has both of its pictures; was the archive unpacked?")
    new_row = np.cumsum(kept) - 1
    moved = [new_row[rows[query]].tolist() for query in np.flatnonzero(asked)]
    more = tuple(tuple(right[1:]) for right in moved)
    semi = tuple(
        tuple(int(new_row[row]) for row in pairs.semi_positives[query] if kept[row])
        for query in (np.flatnonzero(asked) if pairs.semi_positives else ())
    )
    left_out = f"{_left_out(asked, 'queries')} and {_left_out(kept, 'references')}"
    return replace(
        pairs,
        name=f"{pairs.name}, without {left_out} that are missing",
        queries=tuple(query for query, there in zip(pairs.queries, asked, strict=True) if there),
        references=tuple(tile for tile, there in zip(pairs.references, kept, strict=True) if there),
        positives=np.array([right[0] for right in moved], np.int64),
        more_positives=more if any(more) else (),
        semi_positives=semi,
        query_xy_m=None if pairs.query_xy_m is None else pairs.query_xy_m[asked],
        reference_xy_m=None if pairs.reference_xy_m is None else pairs.reference_xy_m[kept],
    )


def _left_out(kept: NDArray[np.bool_], what: str) -> str:
    return f"{(~kept).sum()} of {len(kept)} {what}"


def _files_in(folder: Path) -> frozenset[str]:
    if not folder.is_dir():
        return frozenset()
    with os.scandir(folder) as entries:
        return frozenset(entry.name for entry in entries if entry.stat().st_size)


def _twin(name: str, held: frozenset[str]) -> str | None:
    """A file of the same folder that differs in its suffix, or by the comma that VIGOR's names end in."""
    stem = Path(name).stem
    stems = (stem, stem.removesuffix(","), f"{stem},")
    others = (f"{one}{suffix}" for one in stems for suffix in _OTHER_SUFFIXES)
    return next((other for other in others if other in held and other != name), None)
