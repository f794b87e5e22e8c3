"""An index brought up to what its sources hold now: only what is new or has changed is embedded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.building.build import BuildSummary, build_index
from indexer.building.decoding import content_of
from indexer.building.plan import BuildPlan, make_plan
from indexer.building.specs import BuildSpec
from indexer.common.encoders import EncoderIdentity, TileEncoder
from indexer.common.errors import BadChange, BadSource, NothingUsable, TileWithoutData
from indexer.index.origins import Origins, read_origins
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.add import require_same_making
from indexer.lifecycle.change import IndexChange, Mask
from indexer.lifecycle.matching import rows_among, rows_of_same
from indexer.tiles.sources.addresses import RemoteOptions, is_address
from indexer.tiles.sources.options import DATE
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileTable
from model.common.atomic_io import canonical_json
from model.common.errors import BadImage

__all__ = ["SourceUpdate", "apply_updates", "plan_updates"]


@dataclass(frozen=True)
class SourceUpdate:
    """What became of the tiles of one source.

    Attributes:
        source: opened.
        plan: of the tiles that are new or have changed.
        new: number of tiles that the index does not have.
        changed: number of tiles whose picture is another.
        same: number of tiles that are what they were, or that another source has brought.
        gone: for each segment of the index, its rows that the source does not list any more.
        outdated: for each segment, its rows that tiles of the plan replace.
    """

    source: TileSource
    plan: BuildPlan
    new: int
    changed: int
    same: int
    gone: list[Mask]
    outdated: list[Mask]

    @property
    def gone_count(self) -> int:
        """Number of tiles that the source does not list any more."""
        return sum(int(mask.sum()) for mask in self.gone)


def plan_updates(
    index: TileIndex,
    encoder: EncoderIdentity,
    spec: BuildSpec,
    *,
    tiles: str | Path | None = None,
    reread: bool = False,
    remote: RemoteOptions | None = None,
) -> list[SourceUpdate]:
    """Compare an index with its sources, opened with the options that they were indexed with.

    A tile whose file has the size, the time and, in small sources, the content of before is taken for the same. Of
    others the picture is read and its SHA-256 compared.

    Args:
        index: what is there.
        encoder: will make the vectors; the one that made the others.
        spec: how to work.
        tiles: look at this source only.
        reread: compare the content of every picture.
        remote: whether and how sources that are addresses are fetched.

    Raises:
        BadChange: nothing in the index comes from `tiles`.
        BadSource: a source is gone, or holds no tile.
        IndexMismatch: another encoder, or other anchors.
    """
    require_same_making(index, encoder)
    groups: dict[bytes, list[int]] = {}
    for number, segment in enumerate(index.segments):
        if tiles is None or _is_named(segment, str(tiles)):
            groups.setdefault(canonical_json(segment.manifest.source), []).append(number)
    if not groups:
        listed = ", ".join(sorted({segment.source_name for segment in index.segments}))
        raise BadChange(f"nothing in {index.folder} comes from {tiles}; its sources: {listed}. `add` takes new ones")
    updates: list[SourceUpdate] = []
    for numbers in groups.values():
        updates.append(_compare(index, numbers, encoder, spec, remote, reread=reread, before=updates))
    return updates


def _is_named(segment: Segment, name: str) -> bool:
    if is_address(segment.source_name) or is_address(name):
        return segment.source_name == name
    return segment.source_path.resolve() == Path(name).resolve()


def apply_updates(
    change: IndexChange,
    updates: Sequence[SourceUpdate],
    encoder: TileEncoder,
    *,
    spec: BuildSpec | None = None,
    keep_gone: bool = False,
    restart: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stages: Callable[[str], object] = lambda _: None,
) -> list[BuildSummary]:
    """Embed what is new or has changed, and make all of it true in one step.

    A changed tile that cannot be embedded keeps the vector that it has.

    Raises:
        BadChange: no tile would be left.
        TooManyFailures, BuildConflict, DiskFull: as for a build.
    """
    removed, added, summaries = change.removed(), list[Path](), list[BuildSummary]()
    for update in updates:
        if len(update.plan.tiles):
            target = change.new_segment()
            try:
                summaries.append(
                    build_index(
                        update.source, encoder, target, spec=spec, plan=update.plan, restart=restart,
                        on_progress=on_progress, on_stages=on_stages,
                    )
                )  # fmt: skip
            except NothingUsable as error:
                summaries.append(BuildSummary(0, 0, len(update.plan.tiles), 0, notes=[f"warning: {error}"]))
            else:
                added.append(target)
                _mark_replaced(change, update, target, removed)
        if not keep_gone:
            removed = [mask | gone for mask, gone in zip(removed, update.gone, strict=True)]
    before = change.removed()
    if added or any((one != other).any() for one, other in zip(removed, before, strict=True)):
        change.publish(removed, added)
    return summaries


def _mark_replaced(change: IndexChange, update: SourceUpdate, target: Path, removed: list[Mask]) -> None:
    """Remove the rows of which the new segment has another version."""
    fresh = Segment.open(target / "manifest.json", base=change.folder.parent)
    try:
        for number, segment in enumerate(change.index.segments):
            rows = rows_of_same(segment, fresh.tiles)
            rows = rows[rows >= 0]
            removed[number][rows[update.outdated[number][rows]]] = True
    finally:
        fresh.close()


def _compare(
    index: TileIndex,
    numbers: list[int],
    encoder: EncoderIdentity,
    spec: BuildSpec,
    remote: RemoteOptions | None,
    *,
    reread: bool,
    before: Sequence[SourceUpdate],
) -> SourceUpdate:
    first = index.segments[numbers[0]]
    source = first.open_source(remote) if is_address(first.source_name) else first.source
    if source is None:
        raise BadSource(f"{first.source_path} is not on disk, or not as it was indexed; bring it back, or name another")
    plan = make_plan(source, encoder, index.folder, spec)
    plan = replace(plan, source=first.manifest.source)
    gone = [np.zeros(len(segment.tiles), np.bool_) for segment in index.segments]
    outdated = [mask.copy() for mask in gone]
    known, same = np.zeros(len(plan.tiles), np.bool_), np.zeros(len(plan.tiles), np.bool_)
    for number in numbers:
        segment = index.segments[number]
        rows = rows_of_same(segment, plan.tiles)
        here = np.flatnonzero(rows >= 0)
        unchanged = _unchanged(source, plan.tiles.take(here), segment, rows[here], spec, reread=reread)
        known[here], same[here] = True, same[here] | unchanged
        outdated[number][rows[here[~unchanged]]] = True
        gone[number][np.setdiff1d(segment.live_rows, rows[here])] = True
    elsewhere = ~known & _in_other_sources(index, numbers, before, plan.tiles)
    wanted = plan.tiles.take(~same & ~elsewhere)
    new, changed = int((~known & ~elsewhere).sum()), int((known & ~same).sum())
    counts = {"new": new, "changed": changed, "same": len(plan.tiles) - new - changed}
    return SourceUpdate(source, replace(plan, tiles=wanted), **counts, gone=gone, outdated=outdated)


def _in_other_sources(
    index: TileIndex, numbers: Sequence[int], before: Sequence[SourceUpdate], tiles: TileTable
) -> Mask:
    """Which tiles of a source another one of the same date has brought into the index, or is about to bring."""
    date, found = index.segments[numbers[0]].date, np.zeros(len(tiles), np.bool_)
    for number, segment in enumerate(index.segments):
        if number not in numbers and segment.date == date:
            found |= rows_of_same(segment, tiles) >= 0
    for other in before:
        if other.plan.source.get(DATE) == date:
            found |= rows_among(other.plan.tiles, np.arange(len(other.plan.tiles)), tiles) >= 0
    return found


def _unchanged(
    source: TileSource,
    tiles: TileTable,
    segment: Segment,
    rows: NDArray[np.int64],
    spec: BuildSpec,
    *,
    reread: bool,
) -> Mask:
    """Which tiles still have the picture that the segment's rows were made from."""
    origins = read_origins(segment.folder)
    if origins is None:
        return np.zeros(len(tiles), np.bool_)
    before = origins.take(rows)
    same: Mask = (tiles.stamp == before.stamp) & (tiles.stamp != 0) & ~np.bool_(reread)
    unsure = np.flatnonzero(~same)
    with ThreadPoolExecutor(spec.threads, thread_name_prefix="compare") as pool:
        same[unsure] = list(pool.map(lambda at: _same_picture(source, tiles, before, at), unsure.tolist()))
    return same


def _same_picture(source: TileSource, tiles: TileTable, before: Origins, at: int) -> bool:
    try:
        _, digest = content_of(source.read(tiles.record(at)))
    except (BadImage, TileWithoutData, OSError):
        return False
    return digest == bytes(before.sha256[at]).hex()
