"""Small aerial photos with one house, one tree and a street, written as GeoTIFF."""

import numpy as np
import rasterio
from rasterio.transform import from_origin

HOUSE = (40, 40, 65, 60)
"""Left, top, right and bottom of its roof, in pixels of the file."""
TREE = (200.0, 60.0)
_SIDE = 250


def write_photo(path, *, seed=0, bands=4, dtype="uint8", crs="EPSG:26911", pixel=0.6, left=394_000.0, **more):
    """A lawn with a grey street along its middle, a bright roof and a dark tree; and a table of the tree."""
    random = np.random.default_rng(seed)
    picture = np.empty((4, _SIDE, _SIDE))
    picture[:] = np.array([80, 110, 70, 190])[:, None, None]
    picture[:, 110:140] = np.array([120, 120, 122, 90])[:, None, None]
    left_px, top, right, bottom = HOUSE
    picture[:, top:bottom, left_px:right] = np.array([200, 190, 185, 150])[:, None, None]
    picture[:, 56:65, 196:205] = np.array([30, 60, 30, 160])[:, None, None]
    picture = (picture + random.normal(0, 1.5, picture.shape)).clip(0, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "width": _SIDE, "height": _SIDE, "count": bands, "dtype": dtype, "crs": crs, **more}
    with rasterio.open(path, "w", transform=from_origin(left, 3_735_000.0, pixel, pixel), **profile) as out:
        out.write(picture[:bands].astype(dtype))
    table = path.parent.parent / "csv" / f"{path.stem}.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text(f"x,y\n{TREE[0]},{TREE[1]}\n")
    return path
