"""A segment's folder from its vectors and tiles: the table, the inverted lists, the digests, the manifest."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.encoders import EncoderIdentity
from indexer.index.geoparquet import write_tiles
from indexer.index.integrity import write_block_digests
from indexer.index.manifest import (
    ASKED_VERSION,
    BLOCKS,
    EMBEDDINGS,
    FORMAT_VERSION,
    HASHED_AT_ONCE_BYTES,
    SEARCH,
    TILES,
    TRIED_VERSION,
    FileEntry,
    Manifest,
    SearchRecipe,
)
from indexer.index.origins import STAMPS, Origins, write_stamps
from indexer.index.planner import plan_search
from indexer.index.search_spec import SearchSpec
from indexer.index.trial import MakeTrial
from indexer.tiles.tile_table import TileTable
from model._version import VERSION
from model.common.geo import great_circle_many_m

__all__ = ["VECTORS_AT", "MadeBy", "VectorWriter", "finish_segment", "vectors_header"]

VECTORS_AT = 128
"""Length of the header of `embeddings.npy`, which NumPy pads."""


@dataclass(frozen=True)
class MadeBy:
    """The encoder of a segment's vectors.

    Attributes:
        encoder: name, digest and numeric family, as manifests keep them.
        dim: length of a vector.
        anchors: where in a tile its vectors are centred.
    """

    encoder: dict[str, str]
    dim: int
    anchors: list[tuple[float, float]]

    @classmethod
    def of(cls, encoder: EncoderIdentity) -> MadeBy:
        """An encoder at hand."""
        named = {"name": encoder.name, "digest": encoder.digest, "numbers": encoder.numbers}
        return cls(named, encoder.dim, encoder.inputs.anchor_points)

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> MadeBy:
        """The encoder of a segment that is there."""
        return cls(manifest.encoder, manifest.dim, manifest.anchors)


class VectorWriter:
    """Writes `embeddings.npy` of a known shape a block at a time. Use as a context manager."""

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self._file = (folder / EMBEDDINGS).open("wb")
        self._file.write(vectors_header(shape))

    def __enter__(self) -> VectorWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, vectors: NDArray[np.float16]) -> None:
        """Add float16 [rows, A * D]."""
        self._file.write(np.ascontiguousarray(vectors).data)


def vectors_header(shape: tuple[int, int]) -> bytes:
    """What `embeddings.npy` of float16 vectors begins with."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False, "shape": shape}
    written = io.BytesIO()
    np.lib.format.write_array_header_1_0(written, header)
    return written.getvalue()


def finish_segment(
    folder: Path,
    tiles: TileTable,
    made_by: MadeBy,
    *,
    search: SearchSpec,
    source: dict[str, Any],
    counts: dict[str, int],
    origins: Origins | None = None,
    trial: MakeTrial | None = None,
) -> Manifest:
    """Add to a folder everything that follows from `embeddings.npy` and the tiles of its rows.

    Raises:
        BadRecipe: no codes are small enough for the memory, or the recall cannot be reached.
    """
    write_tiles(folder / TILES, tiles, origins)
    stored = np.load(folder / EMBEDDINGS, mmap_mode="r", allow_pickle=False)
    flat, per_tile = stored.reshape(-1, made_by.dim), len(made_by.anchors)
    recipe = plan_search(flat, search, folder / SEARCH, per_tile=per_tile, trial=trial)
    if (folder / EMBEDDINGS).stat().st_size > HASHED_AT_ONCE_BYTES:
        write_block_digests(folder / EMBEDDINGS, folder / BLOCKS)
    manifest = _manifest(folder, tiles, made_by, recipe, source=source, counts=counts)
    manifest.write(folder)
    if origins is not None:
        write_stamps(folder, origins.stamp)
    return manifest


def _manifest(
    folder: Path,
    tiles: TileTable,
    made_by: MadeBy,
    recipe: SearchRecipe,
    *,
    source: dict[str, Any],
    counts: dict[str, int],
) -> Manifest:
    return Manifest(
        encoder=made_by.encoder,
        dim=made_by.dim,
        anchors=made_by.anchors,
        count=len(tiles),
        search=recipe,
        source=source,
        bounds=tiles.bounds,
        tile_size_m=_ground_size_m(tiles),
        tiles=counts,
        files={path.name: FileEntry.of(path) for path in sorted(folder.iterdir()) if path.name != STAMPS},
        written_by=VERSION,
        blocks={EMBEDDINGS: BLOCKS} if (folder / BLOCKS).exists() else {},
        version=_version(recipe),
    )


def _version(recipe: SearchRecipe) -> int:
    """The earliest that can say it."""
    if recipe.asked:
        return ASKED_VERSION
    return FORMAT_VERSION if recipe.kind == "exact" else TRIED_VERSION


def _ground_size_m(tiles: TileTable) -> tuple[float, float]:
    """Median (east-west, north-south) extent in metres, to the centimetre."""
    across = great_circle_many_m(tiles.lat, tiles.west, tiles.lat, tiles.east)
    down = great_circle_many_m(tiles.south, tiles.lon, tiles.north, tiles.lon)
    return round(float(np.median(across)), 2), round(float(np.median(down)), 2)
