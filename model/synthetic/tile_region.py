"""A region of the world as an operator would have it: an XYZ tile folder, and panoramas at known places.

`tiles/18/x/y.jpg` (256 px), `panoramas/*.jpg` (360 x 180 degrees, centre column north, as their XMP says), `pairs.csv`
(which panorama was taken over which tile; the other tiles as distractors), `calibration.csv` (the same for panoramas
that are set aside to calibrate an index with) and `world.json`, which says that all of it is synthetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from model.common.atomic_io import staged_folder, write_json
from model.common.manifest_rows import ManifestRow, write_manifest
from model.common.worker_pool import worker_pool
from model.inputs.panorama_tags import sphere_xmp
from model.synthetic.appearance import Appearance, Difficulty, draw_appearance, draw_pose
from model.synthetic.cameras import free_spot, material_at
from model.synthetic.ground import Ground, Material, Window
from model.synthetic.pair_set import WORLD_VERSION, Eras, jpeg_bytes, store_picture
from model.synthetic.panorama import VIEW_M, Camera, render_panorama
from model.synthetic.plane import latlon_of, tile_bounds, tile_window_m
from model.synthetic.specs import ZOOM, Region
from model.synthetic.tile import render_tile

__all__ = ["REGION_VERSION", "Region", "render_region"]

REGION_VERSION = 2
"""Raised whenever the files of a region say more, or other things, of the same pictures; 2: the XMP of panoramas."""

_TILE_PX = 256
_CHUNK = 8
_STANDARD = Difficulty()
_OVERHEAD = Difficulty(light=0.3)


@dataclass(frozen=True)
class _Chunk:
    """A block of tiles that share one painted ground, and how many panoramas to take among them."""

    region: Region
    tiles: tuple[tuple[int, int], ...]
    panoramas: int


@dataclass(frozen=True)
class _Drawn:
    x: int
    y: int
    tile: bytes
    spot: tuple[float, float] | None
    panorama: bytes | None


def render_region(region: Region, out: Path, *, workers: int, progress: Callable[[int], object]) -> int:
    """Render a region into a new folder; returns the number of panoramas taken.

    The result does not depend on `workers`. Where too few tiles have a free spot in their middle, fewer panoramas than
    asked for are taken, those for calibration missing first.

    Raises:
        OutputExists: the folder is there already.
    """
    chunks = _chunks(region)
    rows: list[ManifestRow] = []
    with staged_folder(out) as staged, worker_pool(workers) as pool:
        for drawn in pool.map(_draw_chunk, chunks):
            rows += [_store(staged, one) for one in drawn]
            progress(len(drawn))
        cameras, tiles = _by_name(row for row in rows if row.query), [row for row in rows if not row.query]
        shown = set(np.random.default_rng(region.seed).permutation(len(cameras))[: region.panoramas].tolist())
        pairs, aside = ([row for n, row in enumerate(cameras) if (n in shown) is wanted] for wanted in (True, False))
        write_manifest(staged / "pairs.csv", [*pairs, *_by_name(tiles + [row.without_query() for row in aside])])
        if region.calibration:
            write_manifest(staged / "calibration.csv", aside)
        versions = {"version": WORLD_VERSION, "region_version": REGION_VERSION}
        note = {"synthetic": True, **versions, "zoom": ZOOM, "region": asdict(region)}
        write_json(staged / "world.json", note)
    return len(cameras)


def _by_name(rows: Iterable[ManifestRow]) -> list[ManifestRow]:
    return sorted(rows, key=lambda row: (row.query, row.reference))


def _chunks(region: Region) -> list[_Chunk]:
    """The region in blocks; the panoramas shared out in proportion to the tiles."""
    left, top = region.corner()
    steps = range(0, region.side, _CHUNK)
    blocks = [
        [
            (left + column, top + row)
            for row in range(y, min(y + _CHUNK, region.side))
            for column in range(x, min(x + _CHUNK, region.side))
        ]
        for y in steps
        for x in steps
    ]
    ends = np.cumsum([len(block) for block in blocks]) * region.wanted // region.tiles
    shares = np.diff(ends, prepend=0)
    return [_Chunk(region, tuple(block), int(share)) for block, share in zip(blocks, shares, strict=True)]


def _draw_chunk(chunk: _Chunk) -> list[_Drawn]:
    eras = _eras_of(chunk)
    overhead = draw_appearance(chunk.region.seed, 0, _OVERHEAD, from_ground=False)  # one satellite pass
    wanted = _camera_tiles(chunk, eras.photo)
    return [_draw(chunk.region, eras, x, y, overhead, wanted.get((x, y))) for x, y in chunk.tiles]


def _eras_of(chunk: _Chunk) -> Eras:
    rectangles = np.array([tile_window_m(ZOOM, x, y) for x, y in chunk.tiles])
    low, high = rectangles.min(axis=0), rectangles.max(axis=0)
    window = Window.around(low[0], low[1], high[2], high[3], margin_m=VIEW_M + 4.0)
    return Eras.paint(chunk.region.seed, window, _STANDARD.change)


def _camera_tiles(chunk: _Chunk, ground: Ground) -> dict[tuple[int, int], tuple[float, float]]:
    """The chunk's share of the panoramas: tiles in a pseudo-random order, cameras on a street first."""
    seed = chunk.region.seed
    free: list[tuple[tuple[int, int], tuple[float, float]]] = []
    for number in np.random.default_rng((seed, *chunk.tiles[0])).permutation(len(chunk.tiles)):
        left, bottom, right, top = tile_window_m(ZOOM, *chunk.tiles[number])
        reach_m = _STANDARD.offset * (right - left)
        spot = free_spot(ground, seed, (left + right) / 2, (bottom + top) / 2, reach_m=reach_m)
        if spot is not None:
            free.append((chunk.tiles[number], spot))
    free.sort(key=lambda found: material_at(ground, *found[1]) != Material.ROAD)
    return dict(free[: chunk.panoramas])


def _draw(region: Region, eras: Eras, x: int, y: int, overhead: Appearance, spot: tuple[float, float] | None) -> _Drawn:
    number = x * 4096 + y % 4096
    own_noise = replace(overhead, noise_seed=(overhead.noise_seed + number) % 2**31)
    tile = jpeg_bytes(render_tile(eras.tile, tile_window_m(ZOOM, x, y), _TILE_PX, own_noise))
    if spot is None:
        return _Drawn(x, y, tile, None, None)
    look = draw_appearance(region.seed, number, _STANDARD, from_ground=True)
    camera = Camera.held(*spot, draw_pose(region.seed, number, _STANDARD))
    # Where it looks, as a 360 degree camera tells; how it leans it does not know.
    xmp = sphere_xmp(camera.heading_deg, camera.width_px, camera.height_px)
    panorama = jpeg_bytes(render_panorama(eras.photo, camera, look), look.jpeg_quality, xmp=xmp)
    return _Drawn(x, y, tile, spot, panorama)


def _store(folder: Path, drawn: _Drawn) -> ManifestRow:
    """Write a tile and its panorama, if any; returns the manifest's row."""
    reference = f"tiles/{ZOOM}/{drawn.x}/{drawn.y}.jpg"
    store_picture(folder / reference, drawn.tile)
    centre = tile_bounds(ZOOM, drawn.x, drawn.y).centre
    if drawn.spot is None or drawn.panorama is None:
        return ManifestRow.tile(reference, centre)
    place = latlon_of(*drawn.spot)
    query = f"panoramas/{place.lat:.6f}_{place.lon:.6f}.jpg"
    store_picture(folder / query, drawn.panorama)
    return ManifestRow.pair(query, reference, place, centre)
