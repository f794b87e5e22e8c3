"""Rendering a split of the world to disk as an ordinary data set: pictures, and a manifest that names them.

The folder is what `model.data.manifest` reads; training on the world and training on one's own pairs are one path.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.artefact import canonical_json, sha256_bytes, staged_folder, write_json
from model.data.manifest import COLUMNS
from model.errors import BadDataset
from model.geo import LatLon
from model.world.appearance import Difficulty, draw_appearance
from model.world.ground import Ground
from model.world.panorama import VIEW_M, Camera, render_panorama
from model.world.places import Area, paint_area, places
from model.world.plane import latlon_of
from model.world.splits import TILE_M, Split
from model.world.tile import render_tile

__all__ = ["WORLD_VERSION", "ensure_split", "jpeg_bytes", "render_split", "write_manifest"]

WORLD_VERSION = 2
"""Raised whenever the same seed would draw another picture; part of every cache key and manifest."""

_TILE_PX = 128
_PANORAMA_PX = (512, 128)
_VERTICAL_DEG = 60.0


@dataclass(frozen=True)
class _Pair:
    name: str
    camera: LatLon
    centre: LatLon
    panorama: bytes
    tile: bytes


def ensure_split(split: Split, cache: Path, *, workers: int, progress: Callable[[int, int], None]) -> Path:
    """The manifest of a rendered split below `cache`, rendering it first if it is not there."""
    key = sha256_bytes(canonical_json({"version": WORLD_VERSION, **asdict(split)}))[:12]
    folder = cache / f"{split.name}-{key}"
    if not folder.exists():
        render_split(split, folder, workers=workers, progress=progress)
    return folder / "pairs.csv"


def render_split(split: Split, out: Path, *, workers: int, progress: Callable[[int, int], None]) -> None:
    """Render all pairs of a split into a new folder, areas in parallel; the result does not depend on `workers`.

    Raises:
        OutputExists: the folder is there already.
        BadDataset: the areas have fewer free places than the split asks for.
    """
    areas = split.areas()
    share = -(-split.places // len(areas))
    with staged_folder(out) as staged, ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        rows: list[tuple[object, ...]] = []
        for pairs in pool.map(_render_area, areas, [split] * len(areas), [share] * len(areas)):
            for pair in pairs[: split.places - len(rows)]:
                rows.append(_store(staged, pair))
            progress(len(rows), split.places)
        if len(rows) < split.places:
            raise BadDataset(f"split {split.name} has {len(rows)} free places of {split.places}; lower its spacing_m")
        write_manifest(staged, rows)
        note = {"synthetic": True, "version": WORLD_VERSION, "pairs": len(rows), "split": asdict(split)}
        write_json(staged / "world.json", note)


def _render_area(area: Area, split: Split, limit: int) -> list[_Pair]:
    ground = paint_area(area, margin_m=VIEW_M + TILE_M / 2)
    spots = islice(places(ground, area, split.spacing_m), limit)
    return [_render_pair(ground, area, number, spot, split.difficulty) for number, spot in enumerate(spots)]


def _render_pair(ground: Ground, area: Area, number: int, spot: tuple[float, float], difficulty: Difficulty) -> _Pair:
    """One panorama, and a tile whose centre lies off the camera by up to the difficulty's offset."""
    draw = number + int(area.left_m) * 1000  # tells the areas of a seed apart
    random = np.random.default_rng((area.seed, draw))
    east_m, north_m, lift = (random.random(3) * 2 - 1) * (difficulty.offset * TILE_M, difficulty.offset * TILE_M, 0.4)
    camera = Camera(*spot, 2.4 + lift, width_px=_PANORAMA_PX[0], height_px=_PANORAMA_PX[1], vertical_deg=_VERTICAL_DEG)
    centre_x, centre_y = spot[0] + east_m, spot[1] + north_m
    half = TILE_M / 2
    rectangle = (centre_x - half, centre_y - half, centre_x + half, centre_y + half)
    above = draw_appearance(area.seed, draw, difficulty, from_ground=False)
    below = draw_appearance(area.seed, draw, difficulty, from_ground=True)
    return _Pair(
        name=f"{area.seed:04d}-{int(area.left_m):05d}-{number:05d}",
        camera=latlon_of(*spot),
        centre=latlon_of(centre_x, centre_y),
        panorama=jpeg_bytes(render_panorama(ground, camera, below)),
        tile=jpeg_bytes(render_tile(ground, rectangle, _TILE_PX, above)),
    )


def jpeg_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """A picture as JPEG of quality 90."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _store(folder: Path, pair: _Pair) -> tuple[object, ...]:
    query, reference = f"panoramas/{pair.name}.jpg", f"tiles/{pair.name}.jpg"
    for name, data in ((query, pair.panorama), (reference, pair.tile)):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return (
        query,
        reference,
        pair.camera.lat,
        pair.camera.lon,
        pair.centre.lat,
        pair.centre.lon,
        0.0,
        360.0,
        _VERTICAL_DEG,
    )


def write_manifest(folder: Path, rows: Iterable[tuple[object, ...]]) -> None:
    """Write `pairs.csv`, its columns as in `model.data.manifest`."""
    with (folder / "pairs.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
