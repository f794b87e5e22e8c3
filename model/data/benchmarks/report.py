"""A survey in words."""

from __future__ import annotations

from collections.abc import Iterator

from model.data.benchmarks.benchmark import Benchmark
from model.data.benchmarks.survey import Examined, SplitSurvey, Survey

__all__ = ["describe"]

_SHOWN = 3


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
