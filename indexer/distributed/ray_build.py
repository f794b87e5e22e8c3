"""`build --ray`: the shards of a build, embedded on the nodes of a Ray cluster. https://docs.ray.io

Ray Data hands shard after shard to a pool of workers and starts a worker anew that died. The shards lie on a disk that
all nodes share, so a cluster that is lost costs what it was working on, and the same command goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.building.build import BuildSummary, build_index
from indexer.building.needs import needs_of, require_room
from indexer.building.plan import BuildPlan
from indexer.building.shards import open_work
from indexer.common.encoders import TileEncoder
from indexer.common.errors import ClusterFault
from indexer.common.optional import load_ray
from indexer.distributed.shard_worker import Shard, ShardJob, ShardWorker, forget_tries, shards_left
from indexer.index.planner import require_possible
from indexer.tiles.sources.source import TileSource
from model.common.errors import OutputExists

__all__ = ["build_on_ray"]

_RESTARTS = 10
"""Of one worker; a shard that ends its worker is given up sooner, by `ShardWorker`."""
_LEAST_CPUS = 2
"""Of a node: beside a worker, Ray's own reading and writing wants a whole one, or waits without end."""
LOCAL = "local"
"""In place of an address: a cluster on this machine, for as long as the build takes."""


def build_on_ray(
    source: TileSource,
    encoder: TileEncoder,
    out: Path | str,
    *,
    address: str,
    plan: BuildPlan,
    job: ShardJob,
    restart: bool = False,
    on_progress: Callable[[int], object] = lambda _: None,
) -> BuildSummary:
    """Embed every tile of a source on a cluster, and write the index folder here; it has the bytes of a plain build.

    Args:
        source: where the tiles come from.
        encoder: makes the vectors; each worker loads its own.
        out: the folder to write, on a disk that all nodes share; it must not exist.
        address: of a running cluster, `auto` for the one that this machine belongs to, or `local`.
        plan: for exactly these arguments.
        job: what workers are told.
        restart: discard an unfinished build instead of resuming it.
        on_progress: called with the number of tiles just finished.

    Raises:
        MissingExtra: Ray is not installed.
        ClusterFault: the cluster cannot be reached, its nodes are too small, or a worker failed; what is done is kept.
        GeoLocalizationError: as `build_index`.
    """
    began, out, spec = time.monotonic(), Path(out).absolute(), job.spec
    ray = load_ray()
    if out.exists():
        raise OutputExists(f"{out} exists already; choose another folder, or remove it first")
    require_possible(len(plan.tiles) * len(encoder.inputs.anchor_points), encoder.dim, spec.search)
    require_room(out, needs_of(len(plan.tiles), encoder, spec, apart=True))
    with open_work(out, plan.identity, restart=restart) as work:
        job = replace(job, work=work.path)
        forget_tries(work.path)
        left = shards_left(job)
        resumed = len(plan.tiles) - sum(len(job.rows_of(number)) for number in left)
        on_progress(resumed)
        if left:
            with _cluster(ray, address):
                for shard in _embedded(ray, job, left):
                    if shard.error:
                        raise ClusterFault(
                            f"shard {shard.number} failed on node {shard.node}: {shard.error}. What is done is kept, "
                            "and the same command goes on"
                        )
                    on_progress(shard.tiles)
    summary = build_index(source, encoder, out, spec=spec, plan=plan)
    seconds = time.monotonic() - began
    rate = (len(plan.tiles) - resumed) / max(seconds, 1e-9)
    return replace(summary, resumed=resumed, seconds=seconds, tiles_per_s=rate)


@contextmanager
def _cluster(ray: Any, address: str) -> Iterator[None]:
    """A connection to a cluster, or one that is started here."""
    ours = not ray.is_initialized()
    if ours:
        where = {"num_cpus": max(_LEAST_CPUS, os.cpu_count() or 1), "include_dashboard": False}
        try:
            ray.init(
                **({"address": "local"} | where if address == LOCAL else {"address": address}),
                logging_level="ERROR",
                log_to_driver=False,
            )
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise ClusterFault(
                f"there is no Ray cluster at {address} ({error}); start one with `ray start --head`, or give local"
            ) from error
    try:
        yield
    finally:
        if ours:
            ray.shutdown()


def _embedded(ray: Any, job: ShardJob, left: list[int]) -> Iterator[Shard]:
    """Each shard, as it is done; in any order."""
    gpus = int(job.encoder.device.startswith("cuda"))
    workers = min(len(left), _workers(ray, gpus))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    shards = ray.data.from_items([{"shard": number} for number in left], override_num_blocks=len(left))
    done = shards.map_batches(
        _RayWorker,
        fn_constructor_kwargs={"job": ray.put(job)},
        batch_size=1,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers),
        num_cpus=1,
        num_gpus=gpus,
        max_restarts=_RESTARTS,
        max_task_retries=_RESTARTS,
    )
    try:
        for row in done.iter_rows():
            yield Shard(int(row["number"]), int(row["tiles"]), str(row["node"]), str(row["error"]))
    except (ray.exceptions.RayError, ray.exceptions.UserCodeException, RuntimeError) as error:
        raise ClusterFault(
            f"the cluster could not go on: {_last_line(error)}. What is done is kept, and the same command goes on; a "
            "worker that dies again and again may want more memory"
        ) from error


def _workers(ray: Any, gpus: int) -> int:
    """How many workers the nodes have room for, one processor of each left free.

    Raises:
        ClusterFault: there is a node on which a worker would leave Ray none, or none has what is wanted.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    small = [node.get("CPU", 0) for node in nodes if 0 < node.get("CPU", 0) < _LEAST_CPUS]
    if small:
        raise ClusterFault(
            f"a node of the cluster has {small[0]:g} processors, and Ray wants one beside a worker, else it waits "
            f"without end; start nodes with `ray start --num-cpus` {_LEAST_CPUS} or more"
        )
    room = [int(node.get("GPU", 0)) if gpus else max(0, int(node.get("CPU", 0)) - 1) for node in nodes]
    if sum(room) < 1:
        raise ClusterFault(f"no node of the cluster has {'a GPU' if gpus else 'processors'}; add one")
    return sum(room)


class _RayWorker:
    """A `ShardWorker` as Ray Data calls it: a batch of one shard's number in, what became of it out."""

    def __init__(self, job: Any) -> None:
        told: ShardJob = load_ray().get(job)
        self._worker: ShardWorker | None = None
        self._why = ""
        try:
            self._worker = ShardWorker(told)
        except (ValueError, OSError) as error:  # told with the first shard: a constructor that fails is tried for ever
            self._why = str(error)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        numbers = [int(number) for number in batch["shard"]]
        if self._worker is None:
            import socket

            found = [Shard(number, 0, socket.gethostname(), self._why) for number in numbers]
        else:
            found = [self._worker.embed(number) for number in numbers]
        return {name: np.array([getattr(one, name) for one in found]) for name in ("number", "tiles", "node", "error")}


def _last_line(error: BaseException) -> str:
    with suppress(IndexError):
        return str(error).strip().splitlines()[-1][:300]
    return type(error).__name__
