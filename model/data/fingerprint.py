"""Digests of a data set: what it says of its pairs, and which files it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from model.common.atomic_io import canonical_json, sha256_bytes
from model.data.pairs import PairSet, Query, Reference

__all__ = ["file_stats", "pairs_digest"]


def pairs_digest(pairs: PairSet) -> str:
    """SHA-256 over names and sizes of the pictures and all that is known of them; a moved folder keeps its digest."""
    paths = [item.path.absolute() for item in _items(pairs)]
    root = os.path.commonpath([path.parent for path in paths])
    content = {
        "pictures": [(os.path.relpath(path, root), path.stat().st_size) for path in paths],
        "known": [_known(item) for item in _items(pairs)],
        "positives": pairs.positives.tolist(),
        "semi_positives": pairs.semi_positives,
    }
    if pairs.more_positives:  # only then: a set without them keeps the digest that older runs were started with
        content["more_positives"] = pairs.more_positives
    return sha256_bytes(canonical_json(content))


def file_stats(pairs: PairSet) -> Iterator[tuple[str, int, int]]:
    """Path, size in bytes and time of change in nanoseconds of every picture, queries first."""
    for item in _items(pairs):
        stat = item.path.stat()
        yield str(item.path.absolute()), stat.st_size, stat.st_mtime_ns


def _items(pairs: PairSet) -> Iterator[Query | Reference]:
    yield from pairs.queries
    yield from pairs.references


def _known(item: Query | Reference) -> list[Any]:
    """A query's or a reference's fields but its path."""
    return [value for value in astuple(item) if not isinstance(value, Path)]
