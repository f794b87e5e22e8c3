"""One process among many that embeds shards of a build, whoever hands them out.

It writes what a plain build would write into the same work folder, so that a plain build finds nothing left to embed
and puts the index together: with the same bytes, from wherever the shards came.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from indexer.building.decode_ahead import DecodeAhead
from indexer.building.embed import embed_shard
from indexer.building.plan import BuildPlan
from indexer.building.shards import WorkFolder
from indexer.building.specs import BuildSpec
from indexer.common.encoders import TileEncoder
from indexer.tiles.depth import VALUE_BITS
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from indexer.tiles.tile_table import TileTable
from model.common.errors import BadCheckpoint, GeoLocalizationError, OutputExists
from model.network.specs import EncoderOptions

__all__ = ["TRIES", "Shard", "ShardJob", "ShardWorker", "forget_tries", "shards_left"]

TRIES = 3
"""Of one shard: what ends each process that it is given to would go round for ever."""
_TRIES_NAME = "tries-"


@dataclass(frozen=True)
class Shard:
    """What became of one shard.

    Attributes:
        number: of the shard.
        tiles: how many tiles were looked at.
        node: name of the machine.
        error: why there are no vectors; empty where there are.
    """

    number: int
    tiles: int
    node: str
    error: str = ""


@dataclass(frozen=True)
class ShardJob:
    """What a worker has to know, wherever it runs; all paths are on a disk that every node sees.

    Attributes:
        work: folder that shards are written into.
        source: where the tiles come from, as `build --tiles` takes it.
        options: of the source.
        encoder: which one, and where it runs.
        anchors: points along each axis; None as the checkpoint says.
        digest: of the encoder that the build was planned with.
        tiles: of the whole plan, in the order of their rows.
        value_bits: bits that 16-bit pictures use, where that is known.
        spec: how to work.
        load: makes the encoder in place of the checkpoint.
    """

    work: Path
    source: str
    options: SourceOptions
    encoder: EncoderOptions
    anchors: int | None
    digest: str
    tiles: TileTable
    value_bits: int | None
    spec: BuildSpec
    load: Callable[[], TileEncoder] | None = None

    @classmethod
    def of(
        cls,
        plan: BuildPlan,
        spec: BuildSpec,
        *,
        source: str,
        options: SourceOptions,
        encoder: EncoderOptions,
        anchors: int | None,
        load: Callable[[], TileEncoder] | None = None,
    ) -> ShardJob:
        """The job of a plan; the folder to write into is not known yet."""
        bits = plan.source.get(VALUE_BITS)
        digest = str(plan.identity["encoder"])
        return cls(Path(), source, options, encoder, anchors, digest, plan.tiles, bits, spec, load)

    def rows_of(self, number: int) -> range:
        """Rows of the plan that a shard holds."""
        size = self.spec.shard_tiles
        return range(number * size, min((number + 1) * size, len(self.tiles)))

    def print_of(self, number: int) -> str:
        """Digest of a shard's tiles."""
        rows = self.rows_of(number)
        return self.tiles.take(np.arange(rows.start, rows.stop)).digest()


def shards_left(job: ShardJob, among: range | None = None) -> list[int]:
    """The shards, of all or among some, that are not in the work folder yet, or whose tiles have changed since."""
    work = WorkFolder(job.work)
    numbers = range(-(-len(job.tiles) // job.spec.shard_tiles)) if among is None else among
    reports = {number: work.report(number) for number in numbers}
    return [at for at, report in reports.items() if report is None or report.tiles != job.print_of(at)]


class ShardWorker:
    """An encoder and a source that are opened once, for any number of shards."""

    def __init__(self, job: ShardJob) -> None:
        """Open both.

        Raises:
            OutputExists: the work folder is not there.
            BadSource: the tiles are not there.
            BadCheckpoint: the encoder is not there, or another than planned.
        """
        self._job = job
        if not job.work.is_dir():
            raise OutputExists(f"{job.work} is not there; put --out on a disk that all nodes share, under one path")
        self._encoder = self._load()
        if self._encoder.digest != job.digest:
            raise BadCheckpoint(
                f"the encoder {self._encoder.name} here ({self._encoder.digest[:12]}) is not the one that the build "
                f"was planned with ({job.digest[:12]}); install the same version and weights on all nodes"
            )
        self._source = open_source(job.source, job.options)

    def embed(self, number: int) -> Shard:
        """Embed a shard and write it; what goes wrong with its tiles is told, not raised."""
        job, rows = self._job, self._job.rows_of(number)
        node = socket.gethostname()
        if _try_again(job.work, number) > TRIES:
            return Shard(number, len(rows), node, f"{TRIES} workers have ended over it, for want of memory perhaps; "
                         "take a smaller --batch-size, or fewer workers on a node")  # fmt: skip
        try:
            with DecodeAhead(
                self._source,
                job.tiles,
                self._encoder.inputs,
                threads=job.spec.threads,
                ahead=4 * job.spec.batch_size,
                value_bits=job.value_bits,
            ) as decoding:
                vectors, report = embed_shard(
                    decoding.stream(rows), self._encoder, batch_size=job.spec.batch_size, on_progress=lambda _: None
                )
            WorkFolder(job.work).write(number, vectors, replace(report, tiles=job.print_of(number)), apart=True)
        except (GeoLocalizationError, OSError) as error:
            return Shard(number, len(rows), node, f"{error}")
        finally:
            _tries_of(job.work, number).unlink(missing_ok=True)
        return Shard(number, len(rows), node)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _load(self) -> TileEncoder:
        job = self._job
        if job.load is not None:
            return job.load()
        from model.network.encoder import Encoder

        chosen = job.encoder
        return Encoder.load(chosen.checkpoint, device=chosen.device, engine=chosen.engine, anchors=job.anchors)


def forget_tries(work: Path) -> None:
    """Begin to count anew, as a build that is begun again does."""
    for path in work.glob(f"{_TRIES_NAME}*"):
        path.unlink(missing_ok=True)


def _try_again(work: Path, number: int) -> int:
    """Note, before it is begun, that a shard is tried; the number of times that it was and nobody came to its end."""
    with _tries_of(work, number).open("ab") as file:
        file.write(b".")
    return _tries_of(work, number).stat().st_size


def _tries_of(work: Path, number: int) -> Path:
    return work / f"{_TRIES_NAME}{number:06d}"
