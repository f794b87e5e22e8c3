"""Build an index folder from a tile source: plan, embed shard by shard, put together, publish in one rename."""

from __future__ import annotations

import errno
import math
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from indexer.building.decode_ahead import decode_for
from indexer.building.embed import embed_shard
from indexer.building.needs import needs_of, require_room
from indexer.building.plan import BuildPlan, BuildSpec, make_plan
from indexer.building.shards import ShardReport, WorkFolder, open_work, work_path
from indexer.building.stages import BuildStages, StageClock
from indexer.building.trials import make_trial
from indexer.common.encoders import EncoderIdentity, TileEncoder
from indexer.common.errors import BuildConflict, DiskFull, NothingUsable, TooManyFailures
from indexer.index.origins import DIGEST_BYTES, Origins, first_of_equals
from indexer.index.planner import require_possible
from indexer.index.segment_writer import MadeBy, finish_segment
from indexer.index.trial import MakeTrial
from indexer.tiles.depth import VALUE_BITS
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileTable
from model.common.atomic_io import publish
from model.common.counted import counted
from model.common.errors import GeoLocalizationError, OutputExists

__all__ = ["BuildSummary", "assemble", "build_index"]

_REASONS_SHOWN = 5


@dataclass(frozen=True)
class BuildSummary:
    """How a build ended.

    Attributes:
        embedded: tiles in the index.
        skipped: tiles without data.
        failed: tiles that could not be read.
        resumed: tiles whose vectors an earlier, killed build had left.
        reasons: (tile id, reason) of the first failures.
        notes: warnings and remarks.
        seconds: wall time.
        tiles_per_s: tiles handled by this run, over that time.
        stages: what each stage of embedding took.
    """

    embedded: int
    skipped: int
    failed: int
    resumed: int
    reasons: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    tiles_per_s: float = 0.0
    stages: BuildStages = field(default_factory=BuildStages)


def build_index(
    source: TileSource,
    encoder: TileEncoder,
    out: Path | str,
    *,
    spec: BuildSpec | None = None,
    plan: BuildPlan | None = None,
    restart: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stages: Callable[[str], object] = lambda _: None,
) -> BuildSummary:
    """Embed every tile of a source and write the index folder.

    A killed build leaves its finished shards in `.{out.name}.partial`; the same call resumes from them and its result
    has the same bytes as that of an undisturbed one. Shards in which a tile has changed since are embedded again.

    Args:
        source: where the tiles come from.
        encoder: makes the vectors.
        out: the folder to write; it must not exist.
        spec: how to work.
        plan: the plan for exactly these arguments, where the caller has made it already.
        restart: discard an unfinished build instead of resuming it.
        on_progress: called with the number of tiles just finished.
        on_stages: called after each shard with a line that says where the time went.

    Raises:
        OutputExists: `out` is there already.
        BadSource: the source holds no tile.
        NothingUsable: no tile could be embedded.
        TooManyFailures: more of them than `spec.max_failed` could not be read; what is done is kept.
        BuildConflict: an unfinished build differs, one is running, or the tiles change meanwhile.
        DiskFull: there is no room; free some and repeat the call.
        BadRecipe: the memory is too small for any search, or the recall out of reach; what is done is kept.
        BadDataset: the photos of `spec.trial` cannot be read.
        DecoderGone: a process that decodes died; what is done is kept.
    """
    began, spec, out = time.monotonic(), spec or BuildSpec(), Path(out).absolute()
    if out.exists():
        raise OutputExists(f"{out} exists already; choose another folder, or remove it first")
    plan = plan or make_plan(source, encoder, out, spec)
    require_possible(len(plan.tiles) * len(encoder.inputs.anchor_points), encoder.dim, spec.search)
    require_room(out, needs_of(len(plan.tiles), encoder, spec))
    trial, clock = make_trial(encoder, source, plan, spec), StageClock()
    with _full_disk_named(out), open_work(out, plan.identity, restart=restart) as work:
        reports, resumed = _embed_all(source, encoder, plan, spec, work, _Told(on_progress, on_stages, clock))
        stages = clock.read()
        plan.files.require_unchanged()
        _refuse_nothing(reports, plan, work)
        _refuse_too_many_failures(reports, plan, spec)
        remarks = assemble(work, plan, reports, encoder, spec, trial=trial)
        publish(work.final, out)
        work.remove()
    summary = _summary(reports, plan, resumed, time.monotonic() - began)
    return replace(summary, notes=summary.notes + remarks, stages=stages)


@dataclass(frozen=True)
class _Told:
    """Who is told how far the embedding is, and what takes how long."""

    progress: Callable[[int], None]
    stages: Callable[[str], object]
    clock: StageClock


def _embed_all(
    source: TileSource, encoder: TileEncoder, plan: BuildPlan, spec: BuildSpec, work: WorkFolder, told: _Told
) -> tuple[list[ShardReport], int]:
    """Embed the shards that are not done yet; the reports of all, and the number of tiles found done."""
    count, size = len(plan.tiles), spec.shard_tiles
    prints = [plan.tiles.take(np.arange(at, min(at + size, count))).digest() for at in range(0, count, size)]
    reports = _still_true([work.report(shard) for shard in range(len(prints))], prints, plan, work)
    missing = [shard for shard, report in enumerate(reports) if report is None]
    rows = [row for shard in missing for row in range(shard * size, min((shard + 1) * size, count))]
    told.progress(count - len(rows))
    bits = plan.source.get(VALUE_BITS)
    decoding = decode_for(source, plan.tiles, encoder.inputs, spec, count=len(rows), value_bits=bits, clock=told.clock)
    with decoding, ThreadPoolExecutor(1, thread_name_prefix="write") as writer:
        stream, writing = decoding.stream(rows), list[Future[None]]()
        for shard in missing:
            tiles = islice(stream, min(size, count - shard * size))
            vectors, report = embed_shard(
                tiles, encoder, batch_size=spec.batch_size, on_progress=told.progress, clock=told.clock
            )
            reports[shard] = report = replace(report, tiles=prints[shard])
            _await(writing, told.clock)
            writing = [writer.submit(work.write, shard, vectors, report)]
            told.stages(told.clock.read().shares)
        _await(writing, told.clock)
    return [report for report in reports if report is not None], count - len(rows)


def _await(writing: list[Future[None]], clock: StageClock) -> None:
    """Wait until a shard is written: one is under way while the next is embedded, never more."""
    with clock.timed("writing"):
        for one in writing:
            one.result()


def _still_true(
    found: list[ShardReport | None], prints: list[str], plan: BuildPlan, work: WorkFolder
) -> list[ShardReport | None]:
    """The finished shards whose tiles are what they were; of the others a note is made.

    Raises:
        BuildConflict: none is: the unfinished build was of something else.
    """
    true = [report if report and report.tiles == own else None for report, own in zip(found, prints, strict=True)]
    finished, left = sum(report is not None for report in found), sum(report is not None for report in true)
    if finished and not left:
        raise BuildConflict(
            f"{work.path} holds an unfinished build of tiles that have all changed since, or of others; repeat the "
            "first command to resume it, or add --restart to discard it"
        )
    if finished > left:
        parts = counted(finished, "finished part")
        plan.notes.append(
            f"warning: {finished - left:,} of {parts} of the unfinished build to be embedded again, "
            "because tiles in them have changed since"
        )
    return true


@contextmanager
def _full_disk_named(out: Path) -> Iterator[None]:
    """Turn the system's ways of saying that a disk is full into one error that says what to do."""
    try:
        yield
    except GeoLocalizationError:
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DiskFull(
            f"no room left to write {out} ({error.strerror}); nothing was published. Free some space and repeat the "
            f"command: it resumes from {work_path(out)}"
        ) from error


def _refuse_nothing(reports: list[ShardReport], plan: BuildPlan, work: WorkFolder) -> None:
    if any(report.rows for report in reports):
        return
    summary = _summary(reports, plan, 0, 0.0)
    work.remove()
    reasons = "; ".join(f"{tile}: {reason}" for tile, reason in summary.reasons)
    raise NothingUsable(
        f"none of {counted(len(plan.tiles), 'tile')} could be embedded: {summary.skipped:,} without data, "
        f"{summary.failed:,} failed. {reasons}".rstrip()
    )


def _refuse_too_many_failures(reports: list[ShardReport], plan: BuildPlan, spec: BuildSpec) -> None:
    """An index of what is left of a broken source would answer, and answer wrongly."""
    summary = _summary(reports, plan, 0, 0.0)
    share = summary.failed / len(plan.tiles)
    if share <= spec.max_failed:
        return
    reasons = "; ".join(f"{tile}: {reason}" for tile, reason in summary.reasons)
    raise TooManyFailures(
        f"{summary.failed:,} of {counted(len(plan.tiles), 'tile')} ({share:.0%}) could not be read, more than "
        f"max_failed {spec.max_failed:g} allows; nothing was published. Repeat the command with --max-failed "
        f"{_rounded_up(share)} to go on without them, which takes over what is done, or mend the source and add "
        f"--restart. {reasons}"
    )


def _rounded_up(share: float) -> str:
    """With two digits, and not less."""
    return f"{min(1.0, math.ceil(share * 100) / 100):g}"


def _summary(reports: list[ShardReport], plan: BuildPlan, resumed: int, seconds: float) -> BuildSummary:
    failures = [failure for report in reports for failure in report.failures]
    sizes: Counter[str] = Counter()
    for report in reports:
        sizes.update(report.sizes)
    return BuildSummary(
        embedded=sum(len(report.rows) for report in reports),
        skipped=sum(len(report.skipped) for report in reports),
        failed=len(failures),
        resumed=resumed,
        reasons=[(str(plan.tiles.tile_id[row]), reason) for row, reason in failures[:_REASONS_SHOWN]],
        notes=plan.notes + _size_warning(sizes),
        seconds=seconds,
        tiles_per_s=(len(plan.tiles) - resumed) / max(seconds, 1e-9),
    )


def _size_warning(sizes: Counter[str]) -> list[str]:
    if len(sizes) < 2:
        return []
    common = ", ".join(f"{size} ({count:,})" for size, count in sizes.most_common(4))
    return [
        f"warning: tiles have {len(sizes)} different sizes in pixels: {common}; each was resized, so check that they "
        "show ground of the same extent"
    ]


def assemble(
    work: WorkFolder,
    plan: BuildPlan,
    reports: list[ShardReport],
    encoder: EncoderIdentity,
    spec: BuildSpec,
    *,
    trial: MakeTrial | None = None,
) -> list[str]:
    """Write the whole index folder to `work.final`; the bytes depend on the plan and the vectors only, but for stamps.

    The vectors of the shards are moved, not copied, where that can be.

    Returns:
        Remarks on the pictures.
    """
    folder, made_by = work.final, MadeBy.of(encoder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows = np.array([row for report in reports for row in report.rows], np.int64)
    work.gather(folder, [len(report.rows) for report in reports], made_by.dim * len(made_by.anchors))
    tiles = plan.tiles.take(rows)
    origins = _origins(reports, tiles)
    equal, notes = _equal_pictures(tiles, origins)
    counts = {
        "listed": len(plan.tiles),
        "embedded": len(rows),
        "skipped": sum(len(report.skipped) for report in reports),
        "failed": sum(len(report.failures) for report in reports),
        "equal": equal,
    }
    finish_segment(
        folder, tiles, made_by, search=spec.search, source=plan.source, counts=counts, origins=origins, trial=trial
    )
    return notes


def _origins(reports: list[ShardReport], tiles: TileTable) -> Origins:
    contents = [content for report in reports for content in report.contents]
    digests = np.frombuffer(bytes.fromhex("".join(digest for _, digest in contents)), np.uint8)
    return Origins(np.array([size for size, _ in contents], np.int64), digests.reshape(-1, DIGEST_BYTES), tiles.stamp)


def _equal_pictures(tiles: TileTable, origins: Origins) -> tuple[int, list[str]]:
    """How many tiles have the picture of another before them, and what to say of it."""
    first = first_of_equals(origins.sha256)
    again = np.flatnonzero(first != np.arange(len(first)))
    if not len(again):
        return 0, []
    one, other = tiles.tile_id[first[again[0]]], tiles.tile_id[again[0]]
    tiles_show = "tile shows" if len(again) == 1 else "tiles show"
    return len(again), [
        f"warning: {len(again):,} {tiles_show} the very picture of another, as {other} that of {one}; no photo can "
        "tell them apart"
    ]
