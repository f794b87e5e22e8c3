"""Check that an index still says what its source and its encoder say, by embedding some of its tiles again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.building.decode_ahead import DecodeAhead
from indexer.building.embed import encode_checked
from indexer.common.encoders import TileEncoder
from indexer.common.errors import IndexDamaged
from indexer.confidence.storage import read_calibrations
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.tiles.depth import VALUE_BITS

__all__ = ["VerifyReport", "verify_index"]

_LEAST_SIMILARITY = 0.995
"""Another device or precision stays above 0.999; another picture falls far below."""


@dataclass(frozen=True)
class VerifyReport:
    """Tiles embedded again (0 where the source is gone), the worst agreement, and whether the index is calibrated."""

    sampled: int
    least_similarity: float
    calibrated: bool


def verify_index(index: TileIndex, encoder: TileEncoder, *, sample: int = 16) -> VerifyReport:
    """Embed evenly spread tiles again and compare with the stored vectors.

    The files' digests are checked by `TileIndex.open(folder, verify=True)`.

    Raises:
        IndexMismatch: the encoder is not the one that built the index.
        BadCalibration: its calibration is damaged, or belongs to another index.
        IndexDamaged: a vector is not of unit length, or a tile can no longer be read or looks different.
    """
    index.require_encoder(encoder)
    calibrated = bool(read_calibrations(index.folder, index.manifest).each)
    live = [segment.live_rows for segment in index.segments]
    chosen = np.unique(np.linspace(0, index.count - 1, max(1, sample)).astype(np.int64))
    ends = np.cumsum([len(rows) for rows in live])
    sampled, least = 0, 1.0
    for segment, rows, end in zip(index.segments, live, ends.tolist(), strict=True):
        own = chosen[(chosen >= end - len(rows)) & (chosen < end)] - (end - len(rows))
        if len(own):
            again, similarity = _verify_segment(segment, encoder, rows[own], embed=sample >= 1)
            sampled, least = sampled + again, min(least, similarity)
    return VerifyReport(sampled, least, calibrated)


def _verify_segment(
    segment: Segment, encoder: TileEncoder, rows: NDArray[np.int64], *, embed: bool
) -> tuple[int, float]:
    """How many rows were embedded again, and their least similarity."""
    stored = segment.vectors[rows].astype(np.float32).reshape(-1, segment.dim)
    lengths = np.linalg.norm(stored, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-2):
        raise IndexDamaged(f"{segment.folder} holds vectors of length {lengths.min()} to {lengths.max()}; rebuild it")
    source = segment.source
    if source is None or not embed:
        return 0, 1.0
    bits = segment.manifest.source.get(VALUE_BITS)
    with DecodeAhead(source, segment.tiles, encoder.inputs, threads=1, ahead=1, value_bits=bits) as decoding:
        decoded = list(decoding.stream(rows.tolist()))
    for tile in decoded:
        if tile.pixels is None:
            name, reason = segment.tiles.tile_id[tile.row], tile.reason or "it holds no data now"
            raise IndexDamaged(f"tile {name} was indexed but cannot be read again: {reason}")
    pixels = np.stack([tile.pixels for tile in decoded if tile.pixels is not None])
    again = encode_checked(encoder, pixels).astype(np.float32)
    again = again.reshape(-1, segment.dim)
    each = (again * stored).sum(axis=1) / (lengths * np.linalg.norm(again, axis=1))
    similarity = each.reshape(len(rows), -1).min(axis=1)
    worst = int(np.argmin(similarity))
    if similarity[worst] < _LEAST_SIMILARITY:
        raise IndexDamaged(
            f"tile {segment.tiles.tile_id[rows[worst]]} embeds to a vector of similarity {similarity[worst]:.4f} with "
            f"the stored one; {segment.source_path} has changed since, so run `python -m indexer update`, or rebuild "
            "the index"
        )
    return len(rows), float(similarity[worst])
