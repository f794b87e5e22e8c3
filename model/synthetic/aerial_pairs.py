"""Pairs of the half-synthetic world: a real aerial photo as the tile, and a panorama drawn of another date's photo.

The places are put on the synthetic plane, each far from the next: no panorama pretends to show a real address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from model.common.atomic_io import canonical_json, sha256_bytes, staged_folder, write_json
from model.common.errors import BadDataset, OutputExists, reason_of
from model.common.manifest_rows import ManifestRow, write_manifest
from model.common.worker_pool import worker_pool
from model.synthetic.aerial import AerialPhoto, aerial_ground, mirror, mirrored, read_aerial
from model.synthetic.appearance import Difficulty, draw_appearance, draw_pose
from model.synthetic.ground import PIXEL_M, Ground, Material
from model.synthetic.overlap import name_overlaps
from model.synthetic.pair_set import jpeg_bytes, store_picture
from model.synthetic.panorama import VIEW_M, Camera, render_panorama
from model.synthetic.plane import latlon_of
from model.synthetic.splits import TILE_M

__all__ = ["AERIAL_VERSION", "ensure_aerial", "find_places", "render_aerial"]

AERIAL_VERSION = 1
"""Raised whenever the same photos would give another picture."""

CAMERAS = 12
"""Panoramas of a place, unless more or fewer are asked for."""
_MARGIN = 0.5
_TILE_PX = 256
_PANORAMA_PX = (512, 128)
_VERTICAL_DEG = 60.0
_EDGE_M = 25.0
"""Cameras keep this far from the photo's edge, beyond which it is mirrored."""
_BORDER_PX = int((VIEW_M + 10.0) / PIXEL_M)
_CLEAR_PX = 13
_LEAST_SPOTS = 50
_APART_M = 3_000.0
_PLACES_A_ROW = 12
_SEED = 500
_LOOK = Difficulty(season=0.6, air=1.0)


@dataclass(frozen=True)
class _Drawn:
    row: ManifestRow
    panorama: bytes
    tile: bytes


def find_places(folder: Path, names: Path | None = None) -> list[list[Path]]:
    """The photos of a folder, those of one place together, in the order of their names.

    A place's photos are named alike but for four digits, the year: `riverside_2016_4.tif`, `riverside_2018_4.tif`.

    Args:
        folder: GeoTIFFs.
        names: a text file with one name a line, without suffix: take these only, and leave the others for tests.

    Raises:
        BadDataset: no GeoTIFF in it, or no such list, or one that names what is not there.
    """
    photos = sorted(folder.glob("*.tif"))
    if names is not None:
        photos = _listed(photos, names)
    places: dict[str, list[Path]] = defaultdict(list)
    for path in photos:
        parts = [part for part in path.stem.split("_") if not (len(part) == 4 and part.isdigit())]
        places["_".join(parts)].append(path)
    if not places:
        raise BadDataset(f"{folder} holds no .tif; give a folder of aerial photos with red, green, blue and infrared")
    return [places[name] for name in sorted(places)]


def _listed(photos: list[Path], names: Path) -> list[Path]:
    try:
        wanted = {line.strip() for line in names.read_text().splitlines() if line.strip()}
    except (OSError, UnicodeDecodeError) as error:
        raise BadDataset(
            f"{names} cannot be read as a list of names: {reason_of(error)}; give one name a line"
        ) from error
    if absent := sorted(wanted - {path.stem for path in photos}):
        raise BadDataset(f"{names} names {absent[0]} and {len(absent) - 1} more that are not among the photos")
    return [path for path in photos if path.stem in wanted]


def ensure_aerial(
    folder: Path,
    cache: Path,
    *,
    names: Path | None = None,
    cameras: int = CAMERAS,
    workers: int,
    progress: Callable[[int, int], None],
) -> Path:
    """The folder of pairs below `cache` that were drawn from a folder of photos, drawing them first if need be."""
    stamps = [[path.name, path.stat().st_size] for place in find_places(folder, names) for path in place]
    more = {} if cameras == CAMERAS else {"cameras": cameras}  # so that older folders keep their keys
    key = sha256_bytes(canonical_json({"version": AERIAL_VERSION, "photos": stamps, **more}))[:12]
    out = cache / f"aerial-{key}"
    if not out.exists():
        with suppress(OutputExists):  # another process was faster
            render_aerial(folder, out, names=names, cameras=cameras, workers=workers, progress=progress)
    return out


def render_aerial(
    folder: Path,
    out: Path,
    *,
    names: Path | None = None,
    cameras: int = CAMERAS,
    workers: int,
    progress: Callable[[int, int], None],
) -> int:
    """Draw the pairs of a folder of photos into a new folder; the result does not depend on `workers`.

    Trees are read from `csv` beside the folder, one table a photo of the same name, where that is there.

    Args:
        folder: GeoTIFFs, see `find_places` and `model.synthetic.aerial.read_aerial`.
        out: gets `tiles/`, `panoramas/` and `pairs.csv`.
        names: take the photos of this list only.
        cameras: panoramas of each place, 1 to 100.
        workers: processes that draw.
        progress: told how many places are done, of how many.

    Returns:
        How many pairs there are.

    Raises:
        OutputExists: the folder is there already.
        BadDataset: no photo, or one that cannot be used.
    """
    places = find_places(folder, names)
    draw = partial(_draw_place, trees=folder.parent / "csv", cameras=cameras)
    with staged_folder(out) as staged, worker_pool(workers) as pool:
        rows: list[ManifestRow] = []
        for number, drawn in enumerate(pool.map(draw, range(len(places)), places)):
            for one in drawn:
                store_picture(staged / one.row.query, one.panorama)
                store_picture(staged / one.row.reference, one.tile)
                rows.append(one.row)
            progress(number + 1, len(places))
        if not rows:
            raise BadDataset(f"{folder} shows no place to stand on; give photos with streets or open ground")
        write_manifest(staged / "pairs.csv", name_overlaps(rows, TILE_M * (0.5 + _MARGIN)))
        write_json(staged / "world.json", {"synthetic": True, "aerial": AERIAL_VERSION, "pairs": len(rows)})
    return len(rows)


def _draw_place(number: int, paths: list[Path], *, trees: Path, cameras: int) -> list[_Drawn]:
    random = np.random.default_rng((_SEED, number))
    photos = [read_aerial(path, trees / f"{path.stem}.csv") for path in paths]
    if len({photo.place for photo in photos}) > 1 or len({photo.bands.shape for photo in photos}) > 1:
        raise BadDataset(f"{paths[0]} and {paths[-1]} are named as one place and show two; rename one of them")
    return list(_draw_cameras(number, photos, random, cameras))


def _draw_cameras(
    number: int, photos: list[AerialPhoto], random: np.random.Generator, cameras: int
) -> Iterator[_Drawn]:
    grounds = [aerial_ground(photo, random) for photo in photos]
    for camera in range(cameras):
        date = camera % len(photos)
        spot = _spot(grounds[date], random)
        seen = int(random.integers(len(photos)))
        if spot is not None:
            yield _draw_pair(number, camera, spot, grounds[date], photos[seen].colours)


def _spot(ground: Ground, random: np.random.Generator) -> tuple[float, float] | None:
    """(column, row) of a place to stand: on bare ground if there is some, 3 m from anything that stands."""
    clear = ndimage.minimum_filter(ground.height_m == 0, _CLEAR_PX)
    edge = int(_EDGE_M / PIXEL_M)
    within = np.zeros_like(clear)
    within[edge:-edge, edge:-edge] = True
    bare = ~ndimage.binary_dilation(ground.material == Material.GARDEN, iterations=3)
    spots = np.argwhere(clear & within & bare)
    if len(spots) < _LEAST_SPOTS:
        spots = np.argwhere(clear & within)
    if not len(spots):
        return None
    row, column = spots[random.integers(len(spots))]
    return float(column) + 0.5, float(row) + 0.5


def _draw_pair(number: int, camera: int, spot: tuple[float, float], ground: Ground, tile: NDArray[np.uint8]) -> _Drawn:
    key = number * 100 + camera
    look = draw_appearance(_SEED, key, _LOOK, from_ground=True)
    column, row = spot
    held = Camera.held(
        column * PIXEL_M,
        -row * PIXEL_M,
        draw_pose(_SEED, key, _LOOK),
        size_px=_PANORAMA_PX,
        vertical_deg=_VERTICAL_DEG,
    )
    panorama = render_panorama(mirrored(ground, _BORDER_PX), held, look)
    half = TILE_M * (0.5 + _MARGIN) / PIXEL_M
    box = (column + _BORDER_PX - half, row + _BORDER_PX - half, column + _BORDER_PX + half, row + _BORDER_PX + half)
    cut = Image.fromarray(mirror(tile, _BORDER_PX)).resize((_TILE_PX, _TILE_PX), Image.Resampling.BILINEAR, box=box)
    left_m, top_m = (number % _PLACES_A_ROW - _PLACES_A_ROW / 2) * _APART_M, number // _PLACES_A_ROW * _APART_M
    place = latlon_of(left_m + column * PIXEL_M, top_m - row * PIXEL_M)
    name = f"{number:05d}/{camera:02d}.jpg"
    manifest_row = ManifestRow.pair(
        f"panoramas/{name}", f"tiles/{name}", place, place, vertical_deg=_VERTICAL_DEG, margin=_MARGIN
    )
    return _Drawn(manifest_row, jpeg_bytes(panorama, look.jpeg_quality), jpeg_bytes(np.asarray(cut), look.jpeg_quality))
