"""Small trees in the formats of the public benchmarks, quirks and all, made on the spot."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from pyproj import Transformer
from scipy.io import savemat

CITIES = ("Chicago", "NewYork", "SanFrancisco", "Seattle")
CORNERS = {
    "Chicago": (41.8520, -87.6912, 0.000441),
    "NewYork": (40.7010, -74.0191, 0.000433),
    "SanFrancisco": (37.7366, -122.4501, 0.000415),
    "Seattle": (47.5583, -122.3384, 0.000486),
}
"""South-west tile of each city's grid, and its step in longitude."""
STEP_LAT = 0.000328072


def picture(path: Path, size_px: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(size_px, "PNG" if path.suffix == ".png" else "JPEG"))


@lru_cache
def _encoded(size_px: tuple[int, int], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size_px).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def text(path: Path, lines, end: str = "\n", last: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(lines) + (end if last else "")).encode())
    return path


def write_cvusa(root: Path, train=(1, 2, 3, 7), val=(23, 5), *, doubled=False, coordinates="split_locations/all.csv"):
    """Pairs by number. The coordinates of pair n are (30 + n / 10.05, -100 - n / 10.05), its panorama's 1e-4 north."""
    bingmap = root / "bingmap" / "bingmap" if doubled else root / "bingmap"
    for split, numbers in (("train", train), ("val", val)):
        rows = [
            f"bingmap/19/{n:07d}.jpg,streetview/panos/{n:07d}.jpg,streetview/annotations/{n:07d}.png" for n in numbers
        ]
        text(root / "splits" / f"{split}-19zl.csv", rows)
        for n in numbers:
            picture(bingmap / "19" / f"{n:07d}.jpg", (750, 750))
            picture(root / "streetview" / "panos" / f"{n:07d}.jpg", (1232, 224))
    if coordinates:
        places = [(30 + n / 10.05, -100 - n / 10.05) for n in range(1, max(*train, *val) + 1)]
        text(root / coordinates, [f"{lat},{lon},{lat + 1e-4},{lon},1.5" for lat, lon in places])
    return root


def cvact_ids(count: int) -> list[str]:
    return [f"pano-_{number:016d}" for number in range(count)]


def write_cvact(root: Path, train=(3, 1), val=(2, 6), test=(2, 6, 4, 5), *, swapped=False, mat=True):
    """Members by 1-based index, as MATLAB keeps them. Places stand 3 m apart on a line to the east."""
    ids = cvact_ids(6)
    to_utm = Transformer.from_crs(4326, 32755, always_xy=True)
    easting, northing = to_utm.transform(149.1, -35.3)
    utm = np.array([(easting + 3.0 * number, northing) for number in range(len(ids))])
    if mat:
        root.mkdir(parents=True, exist_ok=True)
        savemat(
            root / "ACT_data.mat",
            {
                "panoIds": np.array(ids),
                "utm": utm[:, ::-1] if swapped else utm,
                "trainSet": {"posIdx": 0.0, "trainInd": np.array(train, np.float64)[:, None]},
                "valSet": {"posIdx": 0.0, "valInd": np.array(val, np.float64)[:, None]},
                "valSetAll": {"posIdx": 0.0, "valInd": np.array(test, np.float64)[:, None]},
            },
            do_compression=True,
        )
    for folder, members in (("ANU_data_small", (*train, *val)), ("ANU_data_test", test)):
        for id_ in (ids[index - 1] for index in members if 1 <= index <= len(ids)):
            picture(root / folder / "streetview" / f"{id_}_grdView.jpg", (1664, 832))
            picture(root / folder / "satview_polish" / f"{id_}_satView_polish.jpg", (1200, 1200))
    return root


def vigor_tiles(city: str) -> list[str]:
    """A grid of 4 x 4 tiles, row by row from the south-west."""
    lat, lon, step = CORNERS[city]
    spots = [(lat + row * STEP_LAT, lon + column * step) for row in range(4) for column in range(4)]
    return [f"satellite_{lat:.12f}_{lon:.12f}.png" for lat, lon in spots]


def vigor_label(city: str, number: int) -> str:
    """Panorama `number`, 0 to 3, stands near the tile in row 1 and column 1 + number % 2, to its north-east."""
    lat, lon, step = CORNERS[city]
    tiles = vigor_tiles(city)
    first = 5 + number % 2
    place = f"{lat + STEP_LAT + 1e-5 * (number + 1):.6f},{lon + (1 + number % 2) * step + 2e-5:.6f}"
    return (
        f"{city[:2]}pano_{number}-,{place},.jpg {tiles[first]} -10.0 -12.5 {tiles[first + 1]} -10.0 351.0 "
        f"{tiles[first + 4]} 310.0 -12.5 {tiles[first + 5]} 310.0 319.5"
    )


def write_vigor(root: Path, *, layout="official", corrected=False, pictures=True):
    """Each city has four panoramas, two of them in each half, and its tile list; New York's as it is published."""
    folder, end = ("splits__corrected", "__corrected") if corrected else ("splits", "")
    for city in CITIES:
        labels = [vigor_label(city, number) for number in range(4)]
        lists = root / folder / city
        text(lists / f"same_area_balanced_train{end}.txt", labels[:2])
        text(lists / f"same_area_balanced_test{end}.txt", labels[2:])
        text(lists / f"pano_label_balanced{end}.txt", labels)
        crlf = city == "NewYork"
        text(lists / "satellite_list.txt", vigor_tiles(city), end="\r\n" if crlf else "\n", last=not crlf)
        if pictures:
            official = layout == "official"
            for tile in vigor_tiles(city):
                picture((root / city / "satellite" if official else root / "satellite" / city) / tile, (640, 640))
            for label in labels:
                name = label.split()[0]
                picture((root / city / "panorama" if official else root / "ground" / city) / name, (2048, 1024))
    return root


def write_university(root: Path, *, drones=3):
    """Buildings 1 and 2 to train on, 3 and 10 to ask for, 11 and 12 in the galleries only."""
    train, asked, gallery = ("0001", "0002"), ("0003", "0010"), ("0003", "0010", "0011", "0012")
    parts = [("train/", "", train), ("test/", "query_", asked), ("test/", "gallery_", gallery)]
    for parent, kind, buildings in parts:
        for building in buildings:
            folder = root / f"{parent}{kind}satellite" / building
            picture(folder / f"{building}.jpg", (512, 512))
            for number in range(1, drones + 1):
                picture(root / f"{parent}{kind}drone" / building / f"image-{number:02d}.jpeg", (512, 512))
            picture(root / f"{parent}{kind}street" / building / "1.jpg", (512, 512))
    picture(root / "test/query_street/0010/2.JPG", (300, 512))
    picture(root / "train/google/0001/web.png", (400, 300))
    (root / "train/google/0002").mkdir()  # some buildings have none
    text(root / "test/query_drone/.DS_Store", ["left by a file manager"])
    picture(root / "test/4K_drone/0003/image-01.jpeg", (512, 512))
    return root
