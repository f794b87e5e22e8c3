"""Benchmarks by name: `NAME:SPLIT?root=DIR`, with `&labels=corrected` or `&missing=skip` where they are wanted.

One string holds everything, so a command line, a configuration and a result name a data set in the same way. Paths
are written as they are: nothing is escaped, and `&` divides only before the name of an option.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model.common.errors import BadDataset
from model.data.benchmarks.benchmark import Benchmark, Listing
from model.data.benchmarks.cvact import CVACT
from model.data.benchmarks.cvusa import CVUSA
from model.data.benchmarks.files import find_pictures, without_missing
from model.data.benchmarks.university import UNIVERSITY
from model.data.benchmarks.vigor import VIGOR
from model.data.pairs import PairSet
from model.data.source_options import source_options

__all__ = ["BENCHMARKS", "Source", "names_benchmark", "open_benchmark", "parse_source"]

BENCHMARKS = {one.name: one for one in (CVUSA, CVACT, VIGOR, UNIVERSITY)}
"""By name."""

_MISSING = ("refuse", "skip")
_EXAMPLE = "cvusa:val?root=/data/CVUSA"


@dataclass(frozen=True)
class Source:
    """A benchmark as it was asked for.

    Attributes:
        benchmark: which.
        split: of it; None for all.
        root: its folder; None where it was not given.
        options: those of the benchmark, all of them.
        skip_missing: go on without pairs whose pictures are not there.
    """

    benchmark: Benchmark
    split: str | None
    root: Path | None
    options: Mapping[str, str]
    skip_missing: bool

    def read(self, root: Path, split: str) -> Listing:
        """What the lists of a split say.

        Raises:
            BadDataset: they are absent or wrong.
        """
        return self.benchmark.read(root, split, self.options)


def names_benchmark(text: str) -> bool:
    """Whether a text begins with a benchmark's name."""
    return re.split("[:?]", text, maxsplit=1)[0] in BENCHMARKS


def parse_source(text: str) -> Source:
    """`"vigor:cross-area-test?root=DIR&labels=corrected"` as its parts.

    Raises:
        BadDataset: no such benchmark, split, option or value.
    """
    head, _, tail = text.partition("?")
    name, colon, split = head.partition(":")
    if name not in BENCHMARKS:
        raise BadDataset(f"there is no benchmark {name!r}; known are {', '.join(BENCHMARKS)}")
    benchmark = BENCHMARKS[name]
    if colon and split not in benchmark.splits:
        raise BadDataset(f"{name} has no split {split!r}; give one of {', '.join(benchmark.splits)}")
    known = {**benchmark.options, "missing": _MISSING}
    values = source_options(text, tail, ("root", *known))
    root = values.pop("root", None)
    for option, value in values.items():
        if value not in known[option]:
            raise BadDataset(f"{text}: {option} is {value!r}; choose {' or '.join(known[option])}")
    options = {option: values.get(option, choices[0]) for option, choices in benchmark.options.items()}
    skip = values.get("missing") == "skip"
    return Source(benchmark, split or None, Path(root).expanduser() if root else None, options, skip)


def open_benchmark(text: str) -> PairSet:
    """Open one split of a benchmark; every picture that it names is there.

    Raises:
        BadDataset: a wrong name, no root, lists that are absent or wrong, or missing pictures that were not excused.
    """
    source = parse_source(text)
    if source.split is None or source.root is None:
        lacking = "split" if source.split is None else "root"
        splits = ", ".join(source.benchmark.splits)
        raise BadDataset(
            f"{text} has no {lacking}; write it as {_EXAMPLE} (splits of {source.benchmark.name}: {splits})"
        )
    listing = source.read(source.root, source.split)
    presence = find_pictures(listing.pairs)
    if not presence.missing:
        return listing.pairs
    if source.skip_missing:
        return without_missing(listing, presence, paired=source.benchmark.paired)
    raise BadDataset(
        f"{listing.pairs.name} names {len(presence.missing)} of {presence.named} pictures that are not there or empty, "
        f"first {presence.missing[0]}; `python -m model check-data` says what else is wrong, and &missing=skip goes on "
        "without them"
    )
