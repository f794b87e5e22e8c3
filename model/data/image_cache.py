"""Pictures decoded once: all canvases and tiles of a data set at the encoder's size, in two uint8 memory maps.

A training run at a small input size decodes every picture dozens of times; read from here, one process augments
hundreds of pairs a second. The folder's name is a digest of the files and of the sizes, so a stale one is never read.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.atomic_io import canonical_json, sha256_bytes, staged_folder, write_json
from model.common.errors import BadDataset, OutputExists
from model.common.progress import progress
from model.common.worker_pool import worker_pool
from model.data.fingerprint import file_stats
from model.data.pairs import PairSet
from model.data.pictures import load_query, load_wide_reference, margin_px
from model.inputs.transforms import InputSpec

__all__ = ["DECODED_VERSION", "DecodedPictures", "ensure_decoded"]

DECODED_VERSION = 1
"""Raised whenever the same files would be decoded to other pixels."""

_CHUNK = 128
"""Pictures that a worker process decodes for one task."""
_SPARE_BYTES = 1 << 28
"""Disk space to leave free."""

_log = logging.getLogger(__name__)
_Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class DecodedPictures:
    """The pictures of a decoded data set; cheap to send to another process, which opens the maps for itself.

    Attributes:
        folder: holds `ground.npy`, uint8 [Q, H, W, 3], and `tiles.npy`, uint8 [R, S, S, 3].
        sides_px: of each tile with its margin; a smaller one than S stands in the upper left corner.
    """

    folder: Path
    sides_px: tuple[int, ...]

    def query(self, row: int) -> _Pixels:
        """A query's canvas, uint8 [H, W, 3], not to be written to."""
        pixels: _Pixels = _open(self.folder / "ground.npy")[row]
        return pixels

    def reference(self, row: int) -> _Pixels:
        """A tile with its margin, uint8 [S, S, 3], not to be written to."""
        side_px = self.sides_px[row]
        pixels: _Pixels = _open(self.folder / "tiles.npy")[row, :side_px, :side_px]
        return pixels


def ensure_decoded(pairs: PairSet, inputs: InputSpec, cache: Path, *, workers: int) -> DecodedPictures:
    """The decoded pictures of a data set below `cache`; decoded first, in `workers` processes, if they are not there.

    Raises:
        BadDataset: the disk has no room for them.
        BadImage: a picture cannot be decoded.
    """
    sides_px = tuple(inputs.satellite_px + 2 * margin_px(tile, inputs) for tile in pairs.references)
    folder = cache / _key(pairs, inputs)
    if not folder.exists():
        _require_room(pairs, inputs, max(sides_px), cache)
        with suppress(OutputExists):  # another run decoded the same pictures meanwhile
            _decode(pairs, inputs, max(sides_px), folder, workers)
    _log.info("decoded pictures: %s", folder)
    return DecodedPictures(folder, sides_px)


def _key(pairs: PairSet, inputs: InputSpec) -> str:
    content = {
        "version": DECODED_VERSION,
        "files": list(file_stats(pairs)),
        "queries": [(query.heading_deg, query.fov_deg, query.vertical_deg) for query in pairs.queries],
        "margins": [tile.margin for tile in pairs.references],
        "ground": (*inputs.ground_size_px, inputs.ground_vertical_deg),
        "satellite": inputs.satellite_px,
        # The last two are left out where they say nothing new, so that older folders keep their keys.
        **({"lowered": inputs.ground_lowered_deg} if inputs.ground_lowered_deg else {}),
        **({} if inputs.antialias else {"antialias": False, "rounded": True}),
    }
    return sha256_bytes(canonical_json(content))[:16]


def _require_room(pairs: PairSet, inputs: InputSpec, side_px: int, cache: Path) -> None:
    """Refuse before the first picture: a memory map that outgrows its disk kills the process that writes to it."""
    pixels = len(pairs.queries) * inputs.ground_width_px * inputs.ground_height_px + len(pairs.references) * side_px**2
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if 3 * pixels + _SPARE_BYTES > free:
        raise BadDataset(
            f"the decoded pictures of {pairs.name} take {3 * pixels / 1e9:.1f} GB and {cache} has {free / 1e9:.1f} GB "
            "free; make room, or set data.cache to false"
        )


def _decode(pairs: PairSet, inputs: InputSpec, side_px: int, folder: Path, workers: int) -> None:
    ground_shape = (inputs.ground_height_px, inputs.ground_width_px, 3)
    with staged_folder(folder) as staged, worker_pool(workers) as pool:
        total = len(pairs.queries) + len(pairs.references)
        with progress(total, "decoding", unit="pictures") as bar:
            for path, items, load, shape in (
                (staged / "ground.npy", pairs.queries, load_query, ground_shape),
                (staged / "tiles.npy", pairs.references, load_wide_reference, (side_px, side_px, 3)),
            ):
                np.lib.format.open_memmap(path, "w+", np.uint8, (len(items), *shape)).flush()
                for done in _fill(pool, path, items, load, inputs):
                    bar.update(done)
        write_json(staged / "decoded.json", {"data": pairs.name, "version": DECODED_VERSION})


def _fill(
    pool: ProcessPoolExecutor, path: Path, items: Sequence[Any], load: Callable[..., _Pixels], inputs: InputSpec
) -> Iterator[int]:
    """Decode all items into the map at `path`; yields how many more are done."""
    starts = range(0, len(items), _CHUNK)
    chunks = [items[start : start + _CHUNK] for start in starts]
    count = len(chunks)
    yield from pool.map(_decode_chunk, [path] * count, starts, chunks, [load] * count, [inputs] * count)


def _decode_chunk(path: Path, start: int, items: Sequence[Any], load: Callable[..., _Pixels], inputs: InputSpec) -> int:
    pixels = np.load(path, mmap_mode="r+")
    for row, item in enumerate(items, start):
        picture = load(item, inputs)
        pixels[row, : picture.shape[0], : picture.shape[1]] = picture
    pixels.flush()
    return len(items)


@lru_cache(maxsize=8)
def _open(path: Path) -> _Pixels:
    pixels: _Pixels = np.load(path, mmap_mode="r")
    return pixels
