"""`torchrun -m indexer build`: each process that torchrun started embeds its share of the shards, the first joins them.

The processes write into the work folder of a plain build, on a disk that all of them see, and the first one then does
what a plain build does when it finds nothing left to embed. So the index has the bytes of a plain build.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.building.build import BuildSummary, build_index
from indexer.building.needs import needs_of, require_room
from indexer.building.plan import BuildPlan
from indexer.building.shards import WorkFolder, open_work, work_path
from indexer.building.specs import BuildSpec
from indexer.common.encoders import TileEncoder
from indexer.common.errors import ClusterFault
from indexer.distributed.shard_worker import ShardJob, ShardWorker, forget_tries, shards_left
from indexer.index.planner import require_possible
from indexer.tiles.sources.source import TileSource
from model.common.errors import OutputExists

if TYPE_CHECKING:  # it needs torch, which a plain build does not
    from model.training.distributed import Processes

__all__ = ["build_with_others", "shared_spec", "started_with_others"]


def started_with_others() -> bool:
    """Whether torchrun started this process as one of several."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def shared_spec(spec: BuildSpec) -> BuildSpec:
    """How one of the processes of a machine works, where nobody says how many decode: the processors are shared out."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return spec if spec.workers is not None else replace(spec, workers=max(1, spec.threads // here))


def build_with_others(
    source: TileSource,
    encoder: TileEncoder,
    out: Path | str,
    *,
    processes: Processes,
    plan: BuildPlan,
    job: ShardJob,
    restart: bool = False,
    on_progress: Callable[[int], object] = lambda _: None,
) -> BuildSummary | None:
    """Embed this process's share of a source's tiles; the first process writes the index folder of all.

    Args:
        source: where the tiles come from.
        encoder: makes the vectors.
        out: the folder to write, on a disk that all processes see; it must not exist.
        processes: this one's place among all.
        plan: for exactly these arguments, the same in every process.
        job: what every process is told.
        restart: discard an unfinished build instead of resuming it.
        on_progress: called in the first process with the number of tiles that all have just finished.

    Returns:
        How the build ended; None in every process but the first.

    Raises:
        ClusterFault: a shard cannot be embedded; what is done is kept.
        ProcessLost: another process has ended.
        GeoLocalizationError: as `build_index`.
    """
    began, out, spec, resumed = time.monotonic(), Path(out).absolute(), job.spec, 0
    job = replace(job, work=work_path(out), load=lambda: encoder)
    with ExitStack() as locked:
        with processes.first_alone():
            if processes.is_first:
                if out.exists():
                    raise OutputExists(f"{out} exists already; choose another folder, or remove it first")
                require_possible(len(plan.tiles) * len(encoder.inputs.anchor_points), encoder.dim, spec.search)
                require_room(out, needs_of(len(plan.tiles), encoder, spec, apart=True))
                locked.enter_context(open_work(out, plan.identity, restart=restart))
                forget_tries(job.work)
                left = shards_left(job)
                resumed = len(plan.tiles) - sum(len(job.rows_of(number)) for number in left)
        _embed_own(job, processes, on_progress if processes.is_first else lambda _: None)
        processes.meet()
    if not processes.is_first:
        return None
    summary = build_index(source, encoder, out, spec=spec, plan=plan)
    seconds = time.monotonic() - began
    rate = (len(plan.tiles) - resumed) / max(seconds, 1e-9)
    return replace(summary, resumed=resumed, seconds=seconds, tiles_per_s=rate)


def _embed_own(job: ShardJob, processes: Processes, on_progress: Callable[[int], object]) -> None:
    """Every shard whose number falls to this process."""
    work, told = WorkFolder(job.work), 0
    own = range(processes.rank, -(-len(job.tiles) // job.spec.shard_tiles), processes.count)
    worker = ShardWorker(job)
    try:
        for number in shards_left(job, own):
            shard = worker.embed(number)
            if shard.error:
                raise ClusterFault(
                    f"shard {number} failed in process {processes.rank} on {shard.node}: {shard.error}. What is done "
                    "is kept, and the same command goes on"
                )
            done = sum(len(job.rows_of(number)) for number in work.finished())
            on_progress(done - told)
            told = done
    finally:
        worker.close()
