"""What a build needs at its peak: on disk, where the reports of finished shards lie beside the index, and in memory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from indexer.building.decode_ahead import takes_processes
from indexer.building.specs import BuildSpec
from indexer.common.encoders import EncoderIdentity
from indexer.common.errors import DiskFull
from indexer.index.ivf import size_of_lists, training_bytes
from indexer.index.planner import expects_lists

__all__ = ["BuildNeeds", "free_bytes", "needs_of", "require_room"]

_TABLE_BYTES, _STAMP_BYTES = 90, 8
"""A row of `tiles.parquet` with its digest, measured on grid tiles, and its stamp."""
_REPORT_BYTES = 120
"""A tile's part of the reports of finished shards."""
_RESIDENT_BYTES = 490
"""A tile in the memory of a build: its row of the plan, and what its report holds; measured."""
_BATCHES_AHEAD = 5
_PROCESS_BYTES = 25 << 20
"""A process that decodes, beside the pixels on their way; measured."""


@dataclass(frozen=True)
class BuildNeeds:
    """Bytes that a build takes.

    Attributes:
        index: of the finished folder.
        disk: at the peak, while the index is put together from the shards.
        memory: at the peak, beside the network and what it computes.
    """

    index: int
    disk: int
    memory: int


def needs_of(count: int, encoder: EncoderIdentity, spec: BuildSpec, *, apart: bool = False) -> BuildNeeds:
    """What a build of so many tiles takes; whether it ends with lists is decided as the build will, by a short scan.

    Args:
        count: number of tiles.
        encoder: makes the vectors.
        spec: how the build works.
        apart: whether each shard is written into a file of its own, so that vectors are there twice in the end.
    """
    anchors = len(encoder.inputs.anchor_points)
    vectors = 2 * encoder.dim * anchors * count
    lists = training = 0
    if expects_lists(count * anchors, encoder.dim, spec.search):
        lists = size_of_lists(count * anchors, encoder.dim, spec.search.memory)
        training = training_bytes(count * anchors, encoder.dim)
    index = vectors + (_TABLE_BYTES + _STAMP_BYTES) * count + lists
    pictures = _BATCHES_AHEAD * spec.batch_size * 3 * encoder.inputs.satellite_px**2
    shard = 2 * vectors // max(1, count) * min(count, spec.shard_tiles)
    decoding = pictures + _PROCESS_BYTES * spec.threads * takes_processes(spec, count)
    memory = _RESIDENT_BYTES * count + max(decoding + shard, lists + training)
    return BuildNeeds(index, index + _REPORT_BYTES * count + apart * vectors, memory)


def free_bytes(folder: Path) -> int:
    """Room on the disk that a folder lies on, or will lie on."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_room(out: Path, needs: BuildNeeds) -> None:
    """Make sure, before anything is embedded, that there is room for a build; what an unfinished one left counts.

    Raises:
        DiskFull: there is not.
    """
    work = out.with_name(f".{out.name}.partial")
    there = sum(path.stat().st_size for path in work.rglob("*") if path.is_file()) if work.exists() else 0
    missing = needs.disk - there - free_bytes(out.parent)
    if missing > 0:
        raise DiskFull(
            f"building {out} takes about {needs.disk / 1e9:,.1f} GB on disk at its peak, {needs.index / 1e9:,.1f} GB "
            f"afterwards; {missing / 1e9:,.1f} GB are missing there. Free some space, write to another disk, take "
            "fewer --anchors, or build --shard I/N on several disks"
        )
