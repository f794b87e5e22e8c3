"""What each tile of a segment was read from: size, SHA-256 of its picture, and a stamp that changes with its file.

Sizes and digests are columns of `tiles.parquet`. Stamps hold times, which differ between two copies of one source, so
they lie in a file of their own that is no part of the index's identity; where it is missing or damaged the stamps are
zero, and tiles are compared by content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from indexer.index.manifest import TILES

__all__ = ["DIGEST_BYTES", "STAMPS", "Origins", "first_of_equals", "read_origins", "write_stamps"]

STAMPS = "stamps.bin"
DIGEST_BYTES = 32


@dataclass(frozen=True)
class Origins:
    """One entry a tile.

    Attributes:
        size_bytes: int64 [N] of the encoded picture; 0 where it was cut from a raster.
        sha256: uint8 [N, 32] of the encoded picture, or of the pixels that were cut.
        stamp: int64 [N] that changes when the tile's file does; 0 where that is not known.
    """

    size_bytes: NDArray[np.int64]
    sha256: NDArray[np.uint8]
    stamp: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Origins:
        """Those of some rows, in that order."""
        return Origins(self.size_bytes[rows], self.sha256[rows], self.stamp[rows])

    @classmethod
    def joined(cls, parts: Sequence[Origins]) -> Origins:
        """Those of several segments, one after another."""
        return cls(
            np.concatenate([part.size_bytes for part in parts]),
            np.concatenate([part.sha256 for part in parts]),
            np.concatenate([part.stamp for part in parts]),
        )


def write_stamps(folder: Path, stamp: NDArray[np.int64]) -> None:
    """Write the stamps beside a segment, their digest first."""
    data = stamp.astype("<i8").tobytes()
    (folder / STAMPS).write_bytes(hashlib.sha256(data).digest() + data)


def read_origins(folder: Path) -> Origins | None:
    """Those of a segment that has been checked; None where an older version wrote it, which kept none."""
    schema = pq.read_schema(folder / TILES)
    if not {"size_bytes", "sha256"} <= set(schema.names):
        return None
    table = pq.read_table(folder / TILES, columns=["size_bytes", "sha256"])
    count = len(table)
    if table["sha256"].null_count:
        return None
    flat = pa.concat_arrays(table["sha256"].chunks) if count else pa.array([], pa.binary(DIGEST_BYTES))
    sha256 = np.frombuffer(flat.buffers()[1] or b"", np.uint8)[: count * DIGEST_BYTES].reshape(count, DIGEST_BYTES)
    return Origins(table["size_bytes"].to_numpy().astype(np.int64), sha256.copy(), _read_stamps(folder, count))


def first_of_equals(sha256: NDArray[np.uint8]) -> NDArray[np.int64]:
    """int64 [N], for each tile the first that has the same picture: itself, where it is the first."""
    keys = np.ascontiguousarray(sha256).view(f"V{DIGEST_BYTES}").ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    found: NDArray[np.int64] = first[inverse.ravel()].astype(np.int64)
    return found


def _read_stamps(folder: Path, count: int) -> NDArray[np.int64]:
    try:
        content = (folder / STAMPS).read_bytes()
    except OSError:
        content = b""
    digest, data = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    if len(data) != 8 * count or hashlib.sha256(data).digest() != digest:
        return np.zeros(count, np.int64)
    return np.frombuffer(data, "<i8").astype(np.int64)
