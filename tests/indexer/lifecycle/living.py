"""Changes of a small index, in a line each, and what an index holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from indexer.building.build import BuildSummary
from indexer.building.plan import BuildSpec
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.add import add_tiles, plan_addition
from indexer.lifecycle.change import changing
from indexer.lifecycle.compact import compact_index
from indexer.lifecycle.remove import remove_tiles
from indexer.lifecycle.update import SourceUpdate, apply_updates, plan_updates
from indexer.tiles.region import Region
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, ZOOM, encoded

SPEC = BuildSpec(batch_size=4, shard_tiles=8, workers=2)


def put_tile(tiles: Path, column: int, row: int, seed: int, zoom: int = ZOOM) -> Path:
    path = tiles / str(zoom) / str(LEFT + column) / f"{TOP + row}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(seed))
    return path


def name_of(column: int, row: int) -> str:
    return f"{ZOOM}/{LEFT + column}/{TOP + row}"


def add(folder: Path, tiles: Path, **options: object) -> BuildSummary:
    source, encoder = open_source(tiles), FakeEncoder()
    with changing(folder) as change:
        addition = plan_addition(change.index, source, encoder, SPEC, **options)  # type: ignore[arg-type]
        return add_tiles(change, addition, source, encoder, spec=SPEC)


def update(folder: Path, *, keep_gone: bool = False, **options: object) -> list[SourceUpdate]:
    with changing(folder) as change:
        updates = plan_updates(change.index, FakeEncoder(), SPEC, **options)  # type: ignore[arg-type]
        apply_updates(change, updates, FakeEncoder(), spec=SPEC, keep_gone=keep_gone)
    return updates


def remove(folder: Path, region: Region | None = None, ids: tuple[str, ...] = ()) -> int:
    with changing(folder) as change:
        return remove_tiles(change, region=region, ids=ids)


def compact(folder: Path) -> int:
    with changing(folder, verify=True) as change:
        return compact_index(change)


@contextmanager
def opened(folder: Path) -> Iterator[TileIndex]:
    index = TileIndex.open(folder, verify=True)
    try:
        yield index
    finally:
        index.close()


def content(folder: Path) -> dict[str, bytes]:
    """Every tile's name and vector; a name that is there twice is an error."""
    with opened(folder) as index:
        found: dict[str, bytes] = {}
        for segment in index.segments:
            for row in segment.live_rows.tolist():
                name = str(segment.tiles.tile_id[row])
                assert name not in found
                found[name] = segment.vectors[row].tobytes()
        assert len(found) == index.count
        return found


def best(folder: Path, query: np.ndarray, top_k: int = 3, region: Region | None = None) -> list[tuple[str, float]]:
    with opened(folder) as index:
        (result,) = index.search(query, top_k=top_k, region=region)
        names = [index.tile(row).tile_id for row in result.rows.tolist()]
        return list(zip(names, result.scores.tolist(), strict=True))
