"""Decoded tiles in, vectors out: batch by batch, in an order that depends on nothing but the shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from indexer.building.decoding import Decoded, Pixels
from indexer.building.shards import ShardReport
from indexer.building.stages import StageClock
from indexer.common.encoders import TileEncoder
from indexer.common.errors import EncoderFault

__all__ = ["embed_shard", "encode_checked"]


def embed_shard(
    decoded: Iterator[Decoded],
    encoder: TileEncoder,
    *,
    batch_size: int,
    on_progress: Callable[[int], None],
    clock: StageClock | None = None,
) -> tuple[NDArray[np.float16], ShardReport]:
    """Embed the tiles of one shard, in batches that depend on nothing but the shard.

    Args:
        decoded: the shard's tiles, in order.
        encoder: makes the vectors.
        batch_size: tiles in one call of the encoder.
        on_progress: called with the number of tiles just finished, whatever became of them.
        clock: told what the encoder takes, and what it waits for tiles.
    """
    clock = clock or StageClock()
    report = ShardReport(rows=[])
    sizes: Counter[str] = Counter()
    vectors = [np.empty((0, encoder.dim * len(encoder.inputs.anchor_points)), np.float16)]
    side = encoder.inputs.satellite_px
    batch, filled, finished = np.empty((batch_size, side, side, 3), np.uint8), 0, 0
    tiles = iter(decoded)
    while True:
        with clock.timed("waiting"):
            filled, finished = _fill(batch, tiles, report, sizes)
        if filled:
            with clock.timed("forward"):
                vectors.append(encode_checked(encoder, batch[:filled]))
        if finished:
            on_progress(finished)
        if filled < batch_size:
            break
    report.sizes.update(sizes)
    return np.concatenate(vectors), report


def _fill(batch: Pixels, tiles: Iterator[Decoded], report: ShardReport, sizes: Counter[str]) -> tuple[int, int]:
    """Take tiles until a batch is full or there are no more: how many fill it, and how many were taken."""
    filled = taken = 0
    for tile in tiles:
        taken += 1
        if tile.pixels is not None:
            report.rows.append(tile.row)
            report.contents.append(tile.content)
            sizes[tile.size] += 1
            batch[filled] = tile.pixels
            filled += 1
            if filled == len(batch):
                break
        elif tile.reason:
            report.failures.append((tile.row, tile.reason))
        else:
            report.skipped.append(tile.row)
    return filled, taken


def encode_checked(encoder: TileEncoder, batch: Pixels) -> NDArray[np.float16]:
    """float16 [B, A * D], unit vectors of the A anchors of a batch of uint8 [B, H, W, 3].

    Raises:
        EncoderFault: the encoder returned another shape, or vectors that are not finite and of unit length.
    """
    vectors = encoder.encode_satellite(batch)
    expected = (len(batch), encoder.dim * len(encoder.inputs.anchor_points))
    if vectors.shape != expected:
        raise EncoderFault(f"encoder {encoder.name} returned {vectors.shape}, not {expected}")
    lengths = np.linalg.norm(vectors.reshape(-1, encoder.dim), axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-2):  # false for NaN too
        raise EncoderFault(
            f"encoder {encoder.name} returned vectors of length {lengths.min()} to {lengths.max()}; they must be unit "
            "vectors, so the checkpoint is broken"
        )
    return vectors.astype(np.float16)
