"""What a build would take, from timing a small sample of its tiles."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from indexer.building.decode_ahead import DecodeAhead
from indexer.building.embed import embed_shard
from indexer.building.needs import BuildNeeds, needs_of
from indexer.building.plan import BuildPlan, BuildSpec
from indexer.common.encoders import TileEncoder
from indexer.tiles.depth import VALUE_BITS
from indexer.tiles.sources.source import TileSource

__all__ = ["BuildEstimate", "estimate_build"]

_SAMPLE_BATCHES = 2


@dataclass(frozen=True)
class BuildEstimate:
    """Duration and size of a build to come.

    Attributes:
        tiles_per_s: rate of the sample.
        minutes: of all tiles at that rate.
        needs: on disk and in memory, at the peak.
    """

    tiles_per_s: float
    minutes: float
    needs: BuildNeeds


def estimate_build(source: TileSource, encoder: TileEncoder, plan: BuildPlan, spec: BuildSpec) -> BuildEstimate:
    """Embed a few batches of evenly spread tiles, after one to warm up, and extrapolate."""
    count = len(plan.tiles)
    wanted = min(count, (_SAMPLE_BATCHES + 1) * spec.batch_size)
    rows = np.linspace(0, count - 1, wanted).astype(np.int64).tolist()
    warm_up = min(spec.batch_size, wanted // 2)
    _time(source, encoder, plan, spec, rows[:warm_up])
    seconds = _time(source, encoder, plan, spec, rows[warm_up:])
    rate = (wanted - warm_up) / max(seconds, 1e-9)
    return BuildEstimate(rate, count / rate / 60, needs_of(count, encoder, spec))


def _time(source: TileSource, encoder: TileEncoder, plan: BuildPlan, spec: BuildSpec, rows: list[int]) -> float:
    began = time.monotonic()
    bits = plan.source.get(VALUE_BITS)
    with DecodeAhead(
        source, plan.tiles, encoder.inputs, threads=spec.threads, ahead=4 * spec.batch_size, value_bits=bits
    ) as decoding:
        embed_shard(decoding.stream(rows), encoder, batch_size=spec.batch_size, on_progress=lambda _: None)
    return time.monotonic() - began
