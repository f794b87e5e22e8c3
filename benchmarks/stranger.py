"""A rendered region, written as a stranger's folder of photos and tiles would be.

    python -m model render region --seed 240 --side 26 --panoramas 500 --out REGION
    python -m benchmarks.stranger --region REGION --out FOLDER

`FOLDER/photos` holds panoramas that look anywhere, their positions in EXIF and off by some metres, their headings by
some degrees; and among them ordinary 4:3 photos with a focal length. `FOLDER/tiles` is the imagery of another sensor:
other colours, half the resolution, stronger compression. `FOLDER/truth.csv` says where each photo really stands.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFilter

from model.common.atomic_io import staged_folder
from model.common.geo import LatLon, offset_m
from model.data.manifest import read_manifest
from model.data.pairs import Query
from model.inputs.panorama_tags import sphere_xmp

__all__ = ["flat_view", "photo_exif", "write_stranger"]

_FLAT_PX = (480, 360)
_FOCAL_MM = 26.0
_Pixels = NDArray[np.uint8]


def write_stranger(
    region: Path, out: Path, *, noise_m: float = 3.0, heading_deg: float = 5.0, flat_share: float = 0.2, seed: int = 0
) -> int:
    """Write the folder; returns the number of photos.

    Args:
        region: a folder that `python -m model render region` made.
        out: the new folder.
        noise_m: standard deviation of the error of a position, along each axis.
        heading_deg: standard deviation of the error of a heading.
        flat_share: share of the photos that are ordinary ones.
        seed: of all that is drawn.
    """
    queries = read_manifest(region / "pairs.csv").queries
    random = np.random.default_rng(seed)
    with staged_folder(out) as staged:
        (staged / "photos").mkdir()
        truth = []
        for number, query in enumerate(queries):
            path = staged / "photos" / f"IMG_{number:05d}.jpg"
            heading = _write_photo(path, query, random, noise_m, heading_deg, flat=random.random() < flat_share)
            place = _place_of(query)
            truth.append((path.name, place.lat, place.lon, heading))
        for tile in sorted((region / "tiles").rglob("*.jpg")):
            copy = staged / tile.relative_to(region)
            copy.parent.mkdir(parents=True, exist_ok=True)
            _other_sensor(Image.open(tile)).save(copy, quality=80)
        with (staged / "truth.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("photo", "lat", "lon", "heading_deg"), *truth])
    return len(queries)


def flat_view(panorama: _Pixels, heading_deg: float, size_px: tuple[int, int], fov_deg: float) -> _Pixels:
    """What a level camera without distortion sees of a whole sphere [H, W, 3], uint8 [h, w, 3].

    Args:
        panorama: equirectangular.
        heading_deg: from its centre column, to the right.
        size_px: (width, height) of the view.
        fov_deg: its horizontal angle.
    """
    width, height = size_px
    focal = width / 2 / math.tan(math.radians(fov_deg) / 2)
    right, up = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
    azimuth = np.arctan2(right, focal) + math.radians(heading_deg)
    elevation = np.arctan2(up, np.hypot(right, focal))
    rows, columns = panorama.shape[:2]
    row = np.clip((0.5 - elevation / math.pi) * rows, 0, rows - 1).astype(np.int64)
    column = ((azimuth / (2 * math.pi) + 0.5) * columns).astype(np.int64) % columns
    view: _Pixels = panorama[row, column]
    return view


def photo_exif(place: LatLon, heading_deg: float, focal_mm: float | None = None) -> Image.Exif:
    """EXIF with a position, a direction from true north and perhaps a focal length in 35 mm terms."""
    block = Image.Exif()
    gps = block.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "NS"[place.lat < 0], _sexagesimal(place.lat)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "EW"[place.lon < 0], _sexagesimal(place.lon)
    gps[ExifTags.GPS.GPSImgDirectionRef], gps[ExifTags.GPS.GPSImgDirection] = "T", heading_deg % 360.0
    if focal_mm is not None:
        block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = focal_mm
    return block


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = abs(degrees) % 1 * 60
    return float(int(abs(degrees))), float(int(minutes)), minutes % 1 * 60


def _write_photo(
    path: Path, query: Query, random: np.random.Generator, noise_m: float, heading_deg: float, *, flat: bool
) -> float:
    """Write one photo; returns where it really looks."""
    pixels = np.asarray(Image.open(query.path).convert("RGB"))
    east, north, turn = random.normal(size=3)
    said = offset_m(_place_of(query), east_m=noise_m * east, north_m=noise_m * north)
    looks = float(random.uniform(0.0, 360.0))
    told = (looks + heading_deg * turn) % 360.0
    if flat:
        fov_deg = 2 * math.degrees(math.atan(0.8 * math.hypot(36.0, 24.0) / 2 / _FOCAL_MM))  # the wide side of 4:3
        view = flat_view(pixels, looks - query.heading_deg, _FLAT_PX, fov_deg)
        Image.fromarray(view).save(path, quality=88, exif=photo_exif(said, told, _FOCAL_MM))
        return looks
    columns = pixels.shape[1]
    turned = np.roll(pixels, -round((looks - query.heading_deg) / 360.0 * columns), axis=1)
    tags: dict[str, Any] = {"xmp": sphere_xmp(told, columns, pixels.shape[0])} if random.random() < 0.5 else {}
    Image.fromarray(turned).save(path, quality=88, exif=photo_exif(said, told), **tags)
    return looks


def _place_of(query: Query) -> LatLon:
    assert query.location is not None, "a rendered panorama has a place"
    return query.location


def _other_sensor(tile: Image.Image) -> Image.Image:
    """The tile as another camera, season and hour would show it, at half the resolution."""
    small = tile.convert("RGB").resize((tile.width // 2, tile.height // 2), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(0.6)).resize(tile.size, Image.Resampling.BICUBIC)
    level = np.asarray(soft, np.float32) / 255.0
    mixture = np.array([[0.86, 0.12, 0.02], [0.10, 0.82, 0.08], [0.02, 0.16, 0.82]], np.float32)
    level = (level @ mixture.T) * np.array([1.08, 0.98, 0.86], np.float32)
    level = np.clip((level - 0.4) * 1.25 + 0.36, 0.0, 1.0) ** 0.85
    return Image.fromarray((level * 255.0 + 0.5).astype(np.uint8))


def main() -> int:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--region", type=Path, required=True, help="folder of `python -m model render region`")
    parser.add_argument("--out", type=Path, required=True, help="new folder; gets photos/, tiles/, truth.csv")
    parser.add_argument("--flat-share", type=float, default=0.2, help="share of ordinary photos (default: %(default)s)")
    args = parser.parse_args()
    print(f"{write_stranger(args.region, args.out, flat_share=args.flat_share)} photos: {args.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
