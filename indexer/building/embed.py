"""Tiles in, vectors out: threads read and decode ahead while the encoder works, in a fixed order."""

from __future__ import annotations

import io
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.building.shards import ShardReport
from indexer.common.encoders import TileEncoder
from indexer.common.errors import BadSource, EncoderFault, TileWithoutData
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.atomic_io import sha256_bytes
from model.common.errors import BadImage
from model.common.images import decode_image
from model.inputs.transforms import NEUTRAL, InputSpec, resize_tile

__all__ = ["DecodeAhead", "Decoded", "content_of", "embed_shard", "encode_checked"]

_GROUP = 16
"""Tiles in one job of a thread; a job each costs more than it gains."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Decoded:
    """One tile as the encoder wants it, or why there is none.

    Attributes:
        row: row of the plan.
        pixels: uint8 [H, W, 3], or None.
        size: "width x height" of the picture before it was resized.
        reason: why it failed; empty where it was skipped for lack of data.
        content: bytes and SHA-256 hex of the picture as it was read.
    """

    row: int
    pixels: Pixels | None
    size: str = ""
    reason: str = ""
    content: tuple[int, str] = (0, "")


class DecodeAhead:
    """Reads and decodes tiles on threads, a bounded number ahead of the reader, in the order asked for.

    Use as a context manager. `value_bits` is how many bits 16-bit pictures of the source use, where it is known.
    """

    def __init__(
        self,
        source: TileSource,
        tiles: TileTable,
        spec: InputSpec,
        *,
        threads: int,
        ahead: int,
        value_bits: int | None = None,
    ) -> None:
        self._source = source
        self._value_bits = value_bits
        self._tiles = tiles
        self._spec = spec
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._jobs_ahead = max(threads + 1, ahead // _GROUP)

    def __enter__(self) -> DecodeAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def stream(self, rows: Sequence[int]) -> Iterator[Decoded]:
        """Each row's tile, in order.

        Raises:
            BadSource: a picture of a grid tile is not square.
        """
        waiting: deque[Future[list[Decoded]]] = deque()
        for start in range(0, len(rows), _GROUP):
            waiting.append(self._pool.submit(self._decode_group, rows[start : start + _GROUP]))
            if len(waiting) > self._jobs_ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _decode_group(self, rows: Sequence[int]) -> list[Decoded]:
        return [self._decode(row) for row in rows]

    def _decode(self, row: int) -> Decoded:
        tile = self._tiles.record(row)
        try:
            picture = self._source.read(tile)
            image = _decode_picture(picture, self._spec, self._value_bits)
            size = _size_text(picture)
            _require_square(size, tile)
            pixels = resize_tile(image, self._spec)
        except TileWithoutData:
            return Decoded(row, None)
        except (BadImage, OSError) as error:
            return Decoded(row, None, reason=f"{tile.source}: {error}")
        if (pixels == NEUTRAL).all():  # what decoding makes of a wholly transparent picture
            return Decoded(row, None)
        return Decoded(row, pixels, size, content=content_of(picture))


def embed_shard(
    decoded: Iterator[Decoded], encoder: TileEncoder, *, batch_size: int, on_progress: Callable[[int], None]
) -> tuple[NDArray[np.float16], ShardReport]:
    """Embed the tiles of one shard, in batches that depend on nothing but the shard.

    Args:
        decoded: the shard's tiles, in order.
        encoder: makes the vectors.
        batch_size: tiles in one call of the encoder.
        on_progress: called with the number of tiles just finished, whatever became of them.
    """
    report = ShardReport(rows=[])
    sizes: Counter[str] = Counter()
    vectors = [np.empty((0, encoder.dim * len(encoder.inputs.anchor_points)), np.float16)]
    batch: list[Pixels] = []
    for tile in decoded:
        if tile.pixels is not None:
            report.rows.append(tile.row)
            report.contents.append(tile.content)
            sizes[tile.size] += 1
            batch.append(tile.pixels)
        elif tile.reason:
            report.failures.append((tile.row, tile.reason))
        else:
            report.skipped.append(tile.row)
        if len(batch) == batch_size:
            vectors.append(encode_checked(encoder, batch))
            batch = []
        on_progress(1)
    if batch:
        vectors.append(encode_checked(encoder, batch))
    report.sizes.update(sizes)
    return np.concatenate(vectors), report


def encode_checked(encoder: TileEncoder, batch: list[Pixels]) -> NDArray[np.float16]:
    """float16 [B, A * D], unit vectors of the A anchors of a batch of uint8 [H, W, 3].

    Raises:
        EncoderFault: the encoder returned another shape, or vectors that are not finite and of unit length.
    """
    vectors = encoder.encode_satellite(np.stack(batch))
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


def _decode_picture(picture: bytes | Image.Image, spec: InputSpec, value_bits: int | None) -> Image.Image:
    if isinstance(picture, Image.Image):
        return picture
    at_least_px = spec.satellite_size_px if spec.antialias else None
    return decode_image(picture, at_least_px=at_least_px, value_bits=value_bits)


def _require_square(size: str, tile: TileRecord) -> None:
    """A tile of the grid is as wide as it is high; another picture is a tile of another grid, at another place.

    Raises:
        BadSource: it is not, which ends the build.
    """
    width, _, height = size.partition(" x ")
    if tile.z is not None and width != height:
        raise BadSource(
            f"tile {tile.tile_id} ({tile.source}) is {size} pixels, and a tile of the Web Mercator grid is square: "
            "these are tiles of another grid or cut at an edge. Make Web Mercator tiles of them, or list them with "
            "their bounds in a CSV"
        )


def content_of(picture: bytes | Image.Image) -> tuple[int, str]:
    """Bytes and SHA-256 hex of an encoded picture; of one that was cut, 0 and that of its size and pixels."""
    if isinstance(picture, bytes):
        return len(picture), sha256_bytes(picture)
    return 0, sha256_bytes(f"{picture.mode} {picture.size} ".encode() + picture.tobytes())


def _size_text(picture: bytes | Image.Image) -> str:
    """Size before any scaling; a JPEG may be decoded at a reduced one."""
    if isinstance(picture, Image.Image):
        return f"{picture.width} x {picture.height}"
    with Image.open(io.BytesIO(picture)) as header:
        return f"{header.width} x {header.height}"
