"""What is there of a benchmark's folder: listed, found, missing, misnamed, damaged, usable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.common.errors import BadDataset, BadImage
from model.common.images import decode_image
from model.data.benchmarks.benchmark import Benchmark, Listing, Split
from model.data.benchmarks.files import Presence, find_pictures, without_missing
from model.data.benchmarks.folders import require_root
from model.data.benchmarks.registry import Source
from model.data.pairs import PairSet

__all__ = ["Examined", "SplitSurvey", "Survey", "describe", "evenly", "survey"]

_SHOWN = 3


@dataclass(frozen=True)
class Examined:
    """Pictures of one view that were decoded.

    Attributes:
        count: how many.
        sizes_px: how many have each size, as `1232 x 224`, the most frequent first.
        unreadable: the reason for each that could not be decoded.
    """

    count: int = 0
    sizes_px: tuple[tuple[str, int], ...] = ()
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class SplitSurvey:
    """One split; the numbers stay 0 where a problem keeps its lists from being read.

    Attributes:
        split: its name.
        published: (queries, references) that its publishers count, 0 where they do not say.
        problem: why its lists cannot be read; None where they can.
        listed: (queries, references) that the lists name.
        usable: (queries, references) that are left without what is missing.
        missing: pictures that are not there, or empty.
        first_missing: some of them.
        misnamed: how many of the missing stand there under another name.
        first_misnamed: (wanted, found) for some of them.
        located: (queries, references) whose coordinates are known.
        several: queries that have more than one positive.
        notes: what is unusual about the folder.
        queries: pictures of this side that were decoded.
        references: likewise.
        pairs: what is usable; None if nothing is.
    """

    split: str
    published: tuple[int, int]
    problem: str | None = None
    listed: tuple[int, int] = (0, 0)
    usable: tuple[int, int] = (0, 0)
    missing: int = 0
    first_missing: tuple[str, ...] = ()
    misnamed: int = 0
    first_misnamed: tuple[tuple[str, str], ...] = ()
    located: tuple[int, int] = (0, 0)
    several: int = 0
    notes: tuple[str, ...] = ()
    queries: Examined = Examined()
    references: Examined = Examined()
    pairs: PairSet | None = None

    @property
    def complete(self) -> bool:
        """Whether every listed picture is there, and every one that was decoded is whole."""
        return not (self.problem or self.missing or self.queries.unreadable or self.references.unreadable)

    @property
    def short(self) -> bool:
        """Whether the lists, or the folders that stand for them, name less than was published."""
        return any(listed < published for listed, published in zip(self.listed, self.published, strict=True))

    def as_json(self) -> dict[str, Any]:
        """All but the pairs themselves."""
        content = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "pairs"}
        return {
            **content,
            "queries": asdict(self.queries),
            "references": asdict(self.references),
            "complete": self.complete,
            "short": self.short,
        }


@dataclass(frozen=True)
class Survey:
    """A benchmark's folder: `traps` are what users of any copy should know, `splits` what was found in this one."""

    benchmark: str
    root: Path
    traps: tuple[str, ...]
    splits: tuple[SplitSurvey, ...]

    @property
    def complete(self) -> bool:
        """Whether all splits are, and none is short: where folders are the lists, nothing else tells a half archive."""
        return all(split.complete and not split.short for split in self.splits)

    def as_json(self) -> dict[str, Any]:
        """One object."""
        return {
            "benchmark": self.benchmark,
            "root": str(self.root),
            "complete": self.complete,
            "splits": [split.as_json() for split in self.splits],
            "traps": self.traps,
        }


def survey(source: Source, root: Path, *, pictures: int) -> Survey:
    """Read the lists of the split that was asked for, or of all, look for their pictures and decode some.

    Args:
        source: which benchmark, split and options.
        root: its folder.
        pictures: how many of each side of each split to decode, evenly spaced.

    Raises:
        BadDataset: the folder is not the benchmark's at all.
    """
    benchmark = source.benchmark
    require_root(root, benchmark.name, benchmark.markers)
    names = [source.split] if source.split else list(benchmark.splits)
    splits = tuple(_survey_split(source, root, name, pictures) for name in names)
    return Survey(benchmark.name, root, benchmark.traps, splits)


def evenly(count: int, most: int) -> list[int]:
    """At most `most` of the numbers below `count`, evenly spaced from the first to the last."""
    numbers: list[int] = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist()
    return numbers


def _survey_split(source: Source, root: Path, name: str, pictures: int) -> SplitSurvey:
    split = source.benchmark.splits[name]
    published = split.queries, split.references
    try:
        listing = source.read(root, name)
    except BadDataset as error:
        return SplitSurvey(name, published, problem=str(error))
    pairs, presence = listing.pairs, find_pictures(listing.pairs)
    usable = _usable(source, listing, presence)
    return SplitSurvey(
        name,
        published,
        listed=(len(pairs.queries), len(pairs.references)),
        usable=(len(usable.queries), len(usable.references)) if usable else (0, 0),
        missing=len(presence.missing),
        first_missing=tuple(map(str, presence.missing[:_SHOWN])),
        misnamed=len(presence.misnamed),
        first_misnamed=tuple((str(wanted), str(found)) for wanted, found in presence.misnamed[:_SHOWN]),
        located=(
            sum(query.location is not None for query in pairs.queries),
            sum(tile.location is not None for tile in pairs.references),
        ),
        several=sum(map(bool, pairs.more_positives)),
        notes=(*_count_notes(split, pairs), *listing.notes),
        queries=_examine(usable.queries, pictures) if usable else Examined(),
        references=_examine(usable.references, pictures) if usable else Examined(),
        pairs=usable,
    )


def _usable(source: Source, listing: Listing, presence: Presence) -> PairSet | None:
    if not presence.missing:
        return listing.pairs
    try:
        return without_missing(listing, presence, paired=source.benchmark.paired)
    except BadDataset:
        return None


def _count_notes(split: Split, pairs: PairSet) -> Iterable[str]:
    for what, published, listed in (
        ("queries", split.queries, len(pairs.queries)),
        ("references", split.references, len(pairs.references)),
    ):
        if published and listed != published:
            yield f"the lists name {listed:,} {what}, the publication {published:,}"


def _examine(items: Sequence[Any], most: int) -> Examined:
    sizes: Counter[str] = Counter()
    unreadable = []
    chosen = [items[number] for number in evenly(len(items), most)]
    for item in chosen:
        try:
            width, height = decode_image(item.path).size
        except (BadImage, OSError) as error:
            unreadable.append(str(error))
        else:
            sizes[f"{width} x {height}"] += 1
    return Examined(len(chosen), tuple(sizes.most_common()), tuple(unreadable))


def describe(found: Survey, benchmark: Benchmark) -> str:
    """The report of a whole folder, for people."""
    lines = [f"{found.benchmark} at {found.root}"]
    for split in found.splits:
        lines += [f"{split.split}: {benchmark.splits[split.split].summary}"]
        lines += [f"  {line}" for line in _split_lines(split, benchmark)]
    lines += [f"know: {trap}" for trap in found.traps]
    return "\n".join([*lines, *_verdict(found)])


def _verdict(found: Survey) -> Iterator[str]:
    whole = [split for split in found.splits if split.complete]
    yield f"{len(whole)} of {len(found.splits)} splits are complete"
    if short := [split.split for split in whole if split.short]:
        yield f"but fewer than were published are listed in {', '.join(short)}: a part of the data, or half an archive"


def _split_lines(split: SplitSurvey, benchmark: Benchmark) -> Iterator[str]:
    if split.problem:
        yield f"problem: {split.problem}"
        return
    yield f"listed: {_counts(split.listed)}"
    yield f"usable: {_counts(split.usable)}"
    if split.missing:
        yield f"missing or empty: {split.missing:,} pictures, as {', '.join(split.first_missing)}"
    if split.misnamed:
        wanted, found = split.first_misnamed[0]
        yield f"misnamed: {split.misnamed:,} of them are there under another name, as {found} for {wanted}"
    yield f"with coordinates: {_counts(split.located)}"
    if split.several:
        yield f"with several positives: {split.several:,} queries"
    if split.pairs is not None:
        sizes = {"ground": benchmark.ground_px, "satellite": (benchmark.satellite_px,) * 2}
        yield from _picture_lines("queries", split.queries, sizes[split.pairs.query_view])
        yield from _picture_lines("references", split.references, sizes[split.pairs.reference_view])
    yield from (f"note: {note}" for note in split.notes)


def _picture_lines(side: str, examined: Examined, expected_px: tuple[int, int] | None) -> Iterator[str]:
    sizes = ", ".join(f"{count} of {size}" for size, count in examined.sizes_px[:_SHOWN]) or "none of any size"
    rest = ", ..." if len(examined.sizes_px) > _SHOWN else ""
    yield f"{side} decoded: {examined.count - len(examined.unreadable)} of {examined.count}; pixels: {sizes}{rest}"
    for reason in examined.unreadable[:_SHOWN]:
        yield f"damaged: {reason}"
    if expected_px is not None:
        usual = f"{expected_px[0]} x {expected_px[1]}"
        if odd := sum(count for size, count in examined.sizes_px if size != usual):
            yield f"note: {odd} of {examined.count} {side} have other sizes than the published {usual}; cut or resized?"


def _counts(counts: tuple[int, int]) -> str:
    return f"{counts[0]:,} queries, {counts[1]:,} references"
