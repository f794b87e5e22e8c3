"""Put the index folder together from finished shards, inside the work folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from indexer.building.plan import BuildPlan, BuildSpec
from indexer.building.shards import ShardReport, WorkFolder
from indexer.common.encoders import EncoderIdentity
from indexer.index.geoparquet import write_tiles
from indexer.index.ivf import recipe_for, write_approximate
from indexer.index.manifest import EMBEDDINGS, SEARCH, TILES, FileEntry, Manifest, SearchRecipe
from indexer.tiles.tile_table import TileTable
from model._version import VERSION
from model.common.geo import great_circle_many_m

__all__ = ["assemble", "finish_folder"]


def assemble(
    work: WorkFolder, plan: BuildPlan, reports: list[ShardReport], encoder: EncoderIdentity, spec: BuildSpec
) -> None:
    """Write the whole index folder to `work.final`; the bytes depend on the plan and the vectors only."""
    folder = work.final
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows = np.array([row for report in reports for row in report.rows], np.int64)
    _join_vectors(folder / EMBEDDINGS, work, len(reports), (len(rows), encoder.dim * len(encoder.inputs.anchor_points)))
    counts = {
        "listed": len(plan.tiles),
        "embedded": len(rows),
        "skipped": sum(len(report.skipped) for report in reports),
        "failed": sum(len(report.failures) for report in reports),
    }
    finish_folder(folder, plan.tiles.take(rows), encoder, spec=spec, source=plan.source, counts=counts)


def finish_folder(
    folder: Path,
    tiles: TileTable,
    encoder: EncoderIdentity,
    *,
    spec: BuildSpec,
    source: dict[str, object],
    counts: dict[str, int],
) -> Manifest:
    """Add everything that follows from `embeddings.npy` and the tiles of its rows."""
    write_tiles(folder / TILES, tiles)
    recipe = recipe_for(len(tiles) * len(encoder.inputs.anchor_points), spec.exact_up_to)
    if recipe.kind != "exact":
        stored = np.load(folder / EMBEDDINGS, mmap_mode="r", allow_pickle=False)
        write_approximate(folder / SEARCH, stored.reshape(-1, encoder.dim), recipe)
    manifest = _manifest(folder, tiles, encoder, recipe, source=source, counts=counts)
    manifest.write(folder)
    return manifest


def _join_vectors(path: Path, work: WorkFolder, shards: int, shape: tuple[int, int]) -> None:
    """One array of all shards' vectors, streamed."""
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for shard in range(shards):
            file.write(work.vectors(shard).tobytes())


def _manifest(
    folder: Path,
    tiles: TileTable,
    encoder: EncoderIdentity,
    recipe: SearchRecipe,
    *,
    source: dict[str, object],
    counts: dict[str, int],
) -> Manifest:
    return Manifest(
        encoder={"name": encoder.name, "digest": encoder.digest},
        dim=encoder.dim,
        anchors=encoder.inputs.anchor_points,
        count=len(tiles),
        search=recipe,
        source=source,
        bounds=tiles.bounds,
        tile_size_m=_ground_size_m(tiles),
        tiles=counts,
        files={path.name: FileEntry.of(path) for path in sorted(folder.iterdir())},
        written_by=VERSION,
    )


def _ground_size_m(tiles: TileTable) -> tuple[float, float]:
    """Median (east-west, north-south) extent in metres, to the centimetre."""
    across = great_circle_many_m(tiles.lat, tiles.west, tiles.lat, tiles.east)
    down = great_circle_many_m(tiles.south, tiles.lon, tiles.north, tiles.lon)
    return round(float(np.median(across)), 2), round(float(np.median(down)), 2)
