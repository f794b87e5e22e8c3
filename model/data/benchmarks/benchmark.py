"""What a benchmark is to the rest of the project: its name, its splits, and one function that reads a split's lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.data.pairs import PairSet

__all__ = ["Benchmark", "Listing", "Split"]


@dataclass(frozen=True)
class Split:
    """A part of a benchmark.

    Attributes:
        summary: what it holds, for people.
        queries: how many its publishers count; 0 where they do not say.
        references: likewise.
    """

    summary: str
    queries: int = 0
    references: int = 0


@dataclass(frozen=True)
class Listing:
    """What the lists of a split say, before any picture is looked for.

    Attributes:
        pairs: all of it, pictures that are not there included.
        notes: what is unusual about this folder, one sentence each; nothing that keeps it from being read.
    """

    pairs: PairSet
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Benchmark:
    """A public data set.

    Attributes:
        name: what `--data` calls it.
        splits: by name.
        markers: files or folders, of which its root holds at least one.
        read: root, split and options -> what the lists say; raises `BadDataset` where they are absent or wrong.
        ground_px: (width, height) that its street-level or drone pictures have; None where they differ.
        satellite_px: side of its tiles.
        traps: what users of its data should know, one sentence each.
        options: the values that each option may take, its default first.
        zoom: level of the Web Mercator pyramid that one pixel of its tiles belongs to; None where it is not known.
        paired: whether every tile belongs to a query, so that one whose query is left out goes as well.
    """

    name: str
    splits: Mapping[str, Split]
    markers: tuple[str, ...]
    read: Callable[[Path, str, Mapping[str, str]], Listing]
    ground_px: tuple[int, int] | None
    satellite_px: int
    traps: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]]
    zoom: int | None = None
    paired: bool = False
