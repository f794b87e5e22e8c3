"""Rendering a split of the world to disk as an ordinary data set: pictures, and a manifest that names them.

The folder is what `model.data.manifest` reads; training on the world and training on one's own pairs are one path.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.common.atomic_io import canonical_json, sha256_bytes, staged_folder, write_json
from model.common.errors import BadDataset, OutputExists
from model.common.manifest_rows import ManifestRow, write_manifest
from model.common.worker_pool import worker_pool
from model.synthetic.appearance import Appearance, draw_appearance, draw_pose
from model.synthetic.cameras import Area, Cell, area_window, cells, free_spot
from model.synthetic.country import OPEN
from model.synthetic.ground import Ground, Window
from model.synthetic.overlap import name_overlaps
from model.synthetic.panorama import Camera, render_panorama
from model.synthetic.plane import latlon_of
from model.synthetic.splits import CENTRED_MANIFEST, TILE_M, Split
from model.synthetic.terrain import paint_ground, paint_times
from model.synthetic.tile import render_tile

__all__ = ["WORLD_VERSION", "Eras", "ensure_split", "jpeg_bytes", "render_split", "store_picture"]

WORLD_VERSION = 4
"""Raised whenever the same seed would draw another picture; part of every cache key and manifest."""

_TILE_PX = 128
_PANORAMA_PX = (512, 128)
_VERTICAL_DEG = 60.0


@dataclass(frozen=True)
class Eras:
    """The ground when the photos were taken, and when the tiles were."""

    photo: Ground
    tile: Ground

    @classmethod
    def paint(cls, seed: int, window: Window, change: float) -> Eras:
        """Paint both, `change` of the buildings gone from each; one raster where nothing changes."""
        if change == 0.0:
            ground = paint_ground(seed, window)
            return cls(ground, ground)
        photo, tile = paint_times(seed, window, [(1.0 - change, 1.0), (0.0, change)])
        return cls(photo, tile)


@dataclass(frozen=True)
class _Drawn:
    """What one cell of an area gives: a tile, and a panorama if a camera stands there.

    Attributes:
        row: of the manifest.
        tile: encoded.
        panorama: encoded.
        centred: the row and tile of the same camera in the centred gallery.
    """

    row: ManifestRow
    tile: bytes
    panorama: bytes | None = None
    centred: tuple[ManifestRow, bytes] | None = None

    def without_camera(self) -> _Drawn:
        """The tile alone."""
        return _Drawn(self.row.without_query(), self.tile)


def ensure_split(split: Split, cache: Path, *, workers: int, progress: Callable[[int, int], None]) -> Path:
    """The folder of a rendered split below `cache`, rendering it first if it is not there."""
    folder = cache / f"{split.name}-{_key(split)}"
    if not folder.exists():
        with suppress(OutputExists):  # another process was faster
            render_split(split, folder, workers=workers, progress=progress)
    return folder


def _key(split: Split) -> str:
    content = asdict(split)
    if not split.difficulty.air:  # so that older folders keep their keys
        del content["difficulty"]["air"]
    if split.spare == 108:
        del content["spare"]
    return sha256_bytes(canonical_json({"version": WORLD_VERSION, **content}))[:12]


def render_split(split: Split, out: Path, *, workers: int, progress: Callable[[int, int], None]) -> None:
    """Render all pairs of a split into a new folder, areas in parallel; the result does not depend on `workers`.

    Raises:
        OutputExists: the folder is there already.
        BadDataset: the areas have fewer free places than the split asks for.
    """
    with staged_folder(out) as staged:
        rows: list[ManifestRow] = []
        centred: list[ManifestRow] = []
        for drawn in _drawn(split, workers, progress):
            _store(staged, drawn)
            rows.append(drawn.row)
            centred += [drawn.centred[0]] if drawn.centred else []
        write_manifest(staged / "pairs.csv", name_overlaps(rows, split.overlap_m))
        if split.centred_too:
            write_manifest(staged / CENTRED_MANIFEST, name_overlaps(centred, split.overlap_m))
        note = {"synthetic": True, "version": WORLD_VERSION, "pairs": split.places, "split": asdict(split)}
        write_json(staged / "world.json", note)


def _drawn(split: Split, workers: int, progress: Callable[[int, int], None]) -> Iterator[_Drawn]:
    """What the areas give, in order, until there are enough cameras; a grid gives all its tiles."""
    areas, taken = split.areas(), 0
    share = -(-split.places * split.spare // (100 * len(areas)))
    with worker_pool(workers) as pool:
        for area in pool.map(_render_area, areas, [split] * len(areas), [share] * len(areas)):
            for one in area:
                kept = one if taken < split.places else one.without_camera()
                taken += kept.panorama is not None
                if kept.panorama is not None or split.query_every > 1:
                    yield kept
            progress(taken, split.places)
            if taken >= split.places and split.query_every == 1:
                pool.shutdown(cancel_futures=True)
                break
    if taken < split.places:
        raise BadDataset(
            f"split {split.name} has {taken} free places of {split.places}; lower its spacing_m or query_every"
        )


def jpeg_bytes(pixels: NDArray[np.uint8], quality: int = 90, *, xmp: bytes = b"") -> bytes:
    """A picture as JPEG, with an XMP packet unless that is empty."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **({"xmp": xmp} if xmp else {}))
    return buffer.getvalue()


def store_picture(path: Path, data: bytes) -> None:
    """Write an encoded picture, and the folder that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _render_area(area: Area, split: Split, limit: int) -> list[_Drawn]:
    eras = Eras.paint(area.seed, area_window(area), split.difficulty.change)
    return list(_draw_cells(eras, area, split, limit))


def _draw_cells(eras: Eras, area: Area, split: Split, limit: int) -> Iterator[_Drawn]:
    """The area's cells in order; at most `limit` cameras. A grid keeps its tiles without a camera."""
    taken = 0
    for number, cell in enumerate(cells(area, split.spacing_m)):
        wanted = taken < limit and number % split.query_every == 0
        spot = _camera(eras.photo, area.seed, cell, split) if wanted else None
        if spot is not None:
            taken += 1
            yield _draw_pair(eras, area, split, cell, spot)
        elif split.query_every > 1:
            centre = latlon_of(cell.x_m, cell.y_m)
            tile = _draw_tile(eras.tile, area.seed, cell, split, (cell.x_m, cell.y_m))
            yield _Drawn(ManifestRow.tile(_reference(area.seed, cell), centre), tile)


def _camera(ground: Ground, seed: int, cell: Cell, split: Split) -> tuple[float, float] | None:
    streets_only = seed >= OPEN  # in open country a camera is on a car
    return free_spot(ground, seed, cell.x_m, cell.y_m, reach_m=split.reach_m, streets_only=streets_only)


def _draw_pair(eras: Eras, area: Area, split: Split, cell: Cell, spot: tuple[float, float]) -> _Drawn:
    difficulty, seed = split.difficulty, area.seed
    look = draw_appearance(seed, cell.key, difficulty, from_ground=True)
    pose = draw_pose(seed, cell.key, difficulty)
    camera = Camera.held(*spot, pose, size_px=_PANORAMA_PX, vertical_deg=_VERTICAL_DEG)
    panorama = jpeg_bytes(render_panorama(eras.photo, camera, look), look.jpeg_quality)
    centre = spot if split.centred else (cell.x_m, cell.y_m)
    row = _row(seed, cell, spot, split, centre, "tiles")
    tile = _draw_tile(eras.tile, seed, cell, split, centre)
    if not split.centred_too:
        return _Drawn(row, tile, panorama)
    on_camera = _row(seed, cell, spot, split, spot, "centred"), _draw_tile(eras.tile, seed, cell, split, spot)
    return _Drawn(row, tile, panorama, on_camera)


def _row(
    seed: int, cell: Cell, spot: tuple[float, float], split: Split, centre: tuple[float, float], gallery: str
) -> ManifestRow:
    return ManifestRow.pair(
        f"panoramas/{seed:04d}/{cell.name}.jpg",
        _reference(seed, cell, gallery),
        latlon_of(*spot),
        latlon_of(*centre),
        vertical_deg=_VERTICAL_DEG,
        margin=split.margin,
    )


def _draw_tile(ground: Ground, seed: int, cell: Cell, split: Split, centre: tuple[float, float]) -> bytes:
    look: Appearance = draw_appearance(seed, cell.key, split.difficulty, from_ground=False)
    half = TILE_M * (0.5 + split.margin)
    rectangle = (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
    size_px = round(_TILE_PX * (1.0 + 2.0 * split.margin))
    return jpeg_bytes(render_tile(ground, rectangle, size_px, look), look.jpeg_quality)


def _reference(seed: int, cell: Cell, gallery: str = "tiles") -> str:
    return f"{gallery}/{seed:04d}/{cell.name}.jpg"


def _store(folder: Path, drawn: _Drawn) -> None:
    pictures = [(drawn.row.reference, drawn.tile)]
    if drawn.panorama is not None:
        pictures.append((drawn.row.query, drawn.panorama))
    if drawn.centred is not None:
        pictures.append((drawn.centred[0].reference, drawn.centred[1]))
    for name, data in pictures:
        store_picture(folder / name, data)
