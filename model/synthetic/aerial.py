"""Real ground: from an aerial photo with an infrared band to the raster that panoramas are drawn of.

Heights are guessed, since nothing in the photo tells them: even, compact, plantless patches are taken for roofs, listed
trees get crowns, rough green becomes bushes. Half of what a panorama of it shows is real: the ground, its edges, and
where things stand on it.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from model.common.errors import BadDataset
from model.common.extras import import_extra
from model.synthetic.ground import PIXEL_M, Ground, Material, Window

__all__ = ["AerialPhoto", "aerial_ground", "mirror", "mirrored", "read_aerial"]

_GREEN = 0.1
"""Vegetation index above which something grows."""
_EDGE = 14.0
"""Change of colour a pixel, in grey levels, that bounds a patch."""
_ROOF_M2 = (45.0, 2_500.0)
_ROOF_FILL, _ROOF_LONG, _ROOF_NARROW_M = 0.6, 3.2, 5.0
"""A roof fills this share of its bounding rectangle, how long it may be for its width, and its least width."""
_GABLE_RISE, _GABLE_M = 0.45, 2.2
_BUSH_GREEN, _BUSH_ROUGH = 0.25, 90.0
_BANDS = 4
_Floats = NDArray[np.float32]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class AerialPhoto:
    """One date's photo of one place, north up, in pixels of `PIXEL_M`.

    Attributes:
        bands: uint8 [H, W, 4]: red, green, blue, near infrared.
        trees_px: float64 [N, 2], column and row of the trees that are known.
        place: the ground it shows, the same for photos of one place.
    """

    bands: NDArray[np.uint8]
    trees_px: NDArray[np.float64]
    place: tuple[str, ...]

    @property
    def colours(self) -> NDArray[np.uint8]:
        """Red, green and blue, uint8 [H, W, 3]."""
        return np.ascontiguousarray(self.bands[..., :3])


def read_aerial(path: Path, trees: Path | None = None) -> AerialPhoto:
    """Read a GeoTIFF of four bands in metres, and the trees of a CSV with columns and rows of its pixels.

    Raises:
        BadDataset: unreadable, other bands, pixels that are not square metres or a fraction of them, or a bad table.
        MissingExtra: rasterio is not installed.
    """
    rasterio = import_extra("rasterio", "reading aerial photos")
    try:
        with rasterio.open(path) as photo:
            pixel_m = _pixel_m(photo, path)
            bands = photo.read()
            corner = photo.transform.c, photo.transform.f
    except rasterio.errors.RasterioError as error:
        raise BadDataset(f"{path} cannot be read as an aerial photo: {error}; remove it or fetch it again") from error
    scale = pixel_m / PIXEL_M
    size = round(bands.shape[2] * scale), round(bands.shape[1] * scale)
    scaled = [np.asarray(Image.fromarray(band).resize(size, Image.Resampling.BICUBIC)) for band in bands]
    place = tuple(f"{value:.0f}" for value in corner)
    return AerialPhoto(np.stack(scaled, axis=-1), _read_trees(trees) * scale, place)


def _pixel_m(photo: Any, path: Path) -> float:
    """Metres a pixel, of a photo that can be used."""
    grid, crs = photo.transform, photo.crs
    projected = bool(crs) and crs.is_projected
    pixel_m = grid.a * (crs.linear_units_factor[1] if projected else 1.0)
    north_up = grid.b == grid.d == 0.0 and grid.a > 0.0 and math.isclose(grid.a, -grid.e, rel_tol=1e-3)
    if set(photo.dtypes) != {"uint8"} or photo.count != _BANDS or not (projected and north_up and _fits(pixel_m)):
        raise BadDataset(
            f"{path} has {photo.count} bands of {photo.dtypes[0]} and pixels of {grid.a:g} x {-grid.e:g} units, "
            f"{'in' if projected else 'not in'} a map projection; give a GeoTIFF with red, green, blue and near "
            "infrared, 8 bits each, north up in metres, 0.05 to 2 m a pixel"
        )
    return float(pixel_m)


def _fits(pixel_m: float) -> bool:
    return 0.05 < pixel_m <= 2.0


def _read_trees(path: Path | None) -> NDArray[np.float64]:
    if path is None or not path.is_file():
        return np.zeros((0, 2))
    with path.open(newline="") as file:
        rows = [row[:2] for row in csv.reader(file) if row]
    try:
        return np.array([[float(value) for value in row] for row in rows if not row[0].isalpha()]).reshape(-1, 2)
    except ValueError as error:
        raise BadDataset(f"{path} is no table of trees: {error}; give the columns x and y in pixels") from error


def aerial_ground(photo: AerialPhoto, random: np.random.Generator) -> Ground:
    """The ground that a photo shows, with heights and sides guessed; its window starts at the plane's origin."""
    colours, green = photo.colours, _vegetation_index(photo.bands)
    height = np.zeros(green.shape, np.float32)
    side = (colours * 0.8).astype(np.uint8)
    material = np.where(green > _GREEN, Material.GARDEN, Material.ROAD).astype(np.uint8)
    _raise_roofs(_find_roofs(colours, green), height, side, material, random)
    _plant_trees(photo.trees_px, colours, height, side, material, random)
    _grow_bushes(colours, green, height, side, material, random)
    return Ground(Window(0, 0, green.shape[1], green.shape[0]), height, colours, side, material)


def mirrored(ground: Ground, border_px: int) -> Ground:
    """The ground with so many pixels more on every side, each edge a mirror, as far as a camera near it sees."""
    arrays = (mirror(array, border_px) for array in (ground.height_m, ground.top, ground.side, ground.material))
    return Ground(ground.window.grown(border_px), *arrays)


def mirror(array: NDArray[Any], border_px: int) -> NDArray[Any]:
    """A raster [H, W, ...] with so many pixels more on every side, each edge a mirror."""
    return np.pad(array, ((border_px,) * 2,) * 2 + ((0, 0),) * (array.ndim - 2), mode="symmetric")


def _vegetation_index(bands: NDArray[np.uint8]) -> _Floats:
    red, infrared = bands[..., 0].astype(np.float32), bands[..., 3].astype(np.float32)
    return (infrared - red) / (infrared + red + 1)


def _find_roofs(colours: NDArray[np.uint8], green: _Floats) -> NDArray[np.int32]:
    """Numbers of the patches [H, W] that look like roofs, 0 elsewhere."""
    smooth = ndimage.gaussian_filter(colours.astype(np.float32), (1, 1, 0))
    change = np.sqrt(sum(ndimage.sobel(smooth[..., band], axis) ** 2 for band in range(3) for axis in (0, 1))) / 8
    tone = colours.mean(axis=-1)
    even = (change < _EDGE) & (green <= _GREEN) & (tone >= 0.45 * np.median(tone))
    patches, _ = ndimage.label(ndimage.binary_opening(even, iterations=3))
    roofs = np.zeros(patches.shape, np.int32)
    number = 0
    for label, box in enumerate(ndimage.find_objects(patches), start=1):
        mask = patches[box] == label
        if _is_roof(mask):
            number += 1
            roofs[box][mask] = number
    eaves = np.where(green > _GREEN, 0, ndimage.grey_dilation(roofs, size=(5, 5)))
    return np.where(roofs > 0, roofs, eaves).astype(np.int32)


def _is_roof(mask: _Mask) -> bool:
    pixels = int(mask.sum())
    if not _ROOF_M2[0] < pixels * PIXEL_M**2 < _ROOF_M2[1]:
        return False
    rows, columns = np.nonzero(mask)
    points = np.stack([columns - columns.mean(), rows - rows.mean()], axis=1)
    sides = [np.ptp(points @ _turn(degrees), axis=0) + 1 for degrees in range(0, 90, 6)]
    short, long = sorted(min(sides, key=lambda pair: float(pair.prod())).tolist())
    return bool(pixels > _ROOF_FILL * short * long and long < _ROOF_LONG * short and short * PIXEL_M > _ROOF_NARROW_M)


def _turn(degrees: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine], [sine, cosine]])


def _raise_roofs(
    roofs: NDArray[np.int32],
    height: _Floats,
    side: NDArray[np.uint8],
    material: NDArray[np.uint8],
    random: np.random.Generator,
) -> None:
    count = int(roofs.max())
    if not count:
        return
    tall = 16.0 if random.random() < 0.25 else 6.5
    walls_m = np.concatenate([[0.0], random.uniform(3.0, tall, count)]).astype(np.float32)
    gabled = np.concatenate([[False], random.random(count) < 0.6])
    tone = random.choice([235, 205, 180, 150, 120], count) + random.normal(0, 12, count)
    paint = tone[:, None] + random.normal(0, 14, (count, 3)) + np.array([6, 0, -8])
    paint = np.concatenate([np.zeros((1, 3)), paint.clip(30, 255)]).astype(np.uint8)
    built = roofs > 0
    inwards_m = ndimage.distance_transform_edt(built).astype(np.float32) * np.float32(PIXEL_M)
    height[built] = walls_m[roofs[built]]
    ridge = built & gabled[roofs]
    height[ridge] += np.minimum(inwards_m[ridge] * _GABLE_RISE, _GABLE_M)
    side[built] = paint[roofs[built]]
    material[built] = Material.BUILDING


def _plant_trees(
    trees_px: NDArray[np.float64],
    colours: NDArray[np.uint8],
    height: _Floats,
    side: NDArray[np.uint8],
    material: NDArray[np.uint8],
    random: np.random.Generator,
) -> None:
    rows, columns = height.shape
    tallness = random.uniform(0.8, 1.3)
    for x, y in trees_px:
        radius_m = random.uniform(1.6, 4.2)
        top_m = radius_m * random.uniform(1.4, 2.6) * tallness + 1.0
        shade, tint = random.uniform(0.55, 1.0), random.normal(0, 6, 3)
        reach = int(radius_m / PIXEL_M) + 1
        part = (
            slice(max(0, int(y) - reach), min(rows, int(y) + reach + 1)),
            slice(max(0, int(x) - reach), min(columns, int(x) + reach + 1)),
        )
        if height[part].size == 0:
            continue
        down, right = np.mgrid[part]
        away = ((right - x) ** 2 + (down - y) ** 2) * (PIXEL_M / radius_m) ** 2
        crown = np.where(away < 1, top_m * (0.55 + 0.45 * np.sqrt((1 - away).clip(0))), 0).astype(np.float32)
        higher = crown > height[part]
        leaves = colours[min(int(y), rows - 1), min(int(x), columns - 1)] * shade + tint
        height[part][higher] = crown[higher]
        material[part][higher] = Material.TREE
        side[part][higher] = leaves.clip(5, 255).astype(np.uint8)


def _grow_bushes(
    colours: NDArray[np.uint8],
    green: _Floats,
    height: _Floats,
    side: NDArray[np.uint8],
    material: NDArray[np.uint8],
    random: np.random.Generator,
) -> None:
    tone = colours.mean(axis=-1).astype(np.float32)
    rough = ndimage.gaussian_filter((tone - ndimage.uniform_filter(tone, 7)) ** 2, 1.5)
    bush = (green > _BUSH_GREEN) & (rough > _BUSH_ROUGH) & (height == 0)
    height[bush] = random.uniform(0.6, 3.0)
    material[bush] = Material.HEDGE
    side[bush] = (colours[bush] * 0.75).astype(np.uint8)
