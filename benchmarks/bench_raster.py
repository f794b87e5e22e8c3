"""Milliseconds a tile of cutting rasters: as the indexer does, and with one GDAL warp a tile, as it did before.

Smooth noise of 4,096 x 4,096 pixels, tiles of 256 pixels in the order of the index, one thread. The variants take
turns; medians are printed, of the time that the processor worked, since other work may share the machine. "plain
window reads" is the limit for a raster on the grid: rasterio alone, no mask, no mosaic.

    python -m benchmarks.bench_raster
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.transform import from_bounds, from_origin
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from benchmarks.record import turns, write_record
from indexer.common.errors import TileWithoutData
from indexer.tiles.sources.raster import RasterSource
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.tile_table import TileTable

_SIDE_PX, _TILE_PX, _ZOOM = 4096, 256, 18
_PIXEL_M = 2 * 20037508.342789244 / 2**_ZOOM / _TILE_PX
_CORNER = mercantile.xy_bounds(mercantile.tile(8.54, 47.38, _ZOOM))


def main() -> None:
    """Measure, print a table, write `results/raster.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each variant takes (default 5)")
    args = parser.parse_args()
    result: dict[str, Any] = {"raster": f"{_SIDE_PX} x {_SIDE_PX} x 3, uint8", "tile_px": _TILE_PX, "ms a tile": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for name, path in rasters(Path(scratch)).items():
            began = time.process_time()
            source = RasterSource(path, SourceOptions(zoom=_ZOOM))
            opening = time.process_time() - began
            table = source.list_tiles().table
            table = table.take(np.argsort(table.curve_keys, kind="stable"))
            seconds = turns(
                variants(source, table, on_grid=name.startswith("COG")), args.rounds, clock=time.process_time
            )
            medians = {kind: statistics.median(times) * 1e3 / len(table) for kind, times in seconds.items()}
            counts = {"tiles": len(table), "opening, ms in all": round(opening * 1e3, 1)}
            result["ms a tile"][name] = counts | {kind: round(ms, 3) for kind, ms in medians.items()}
            for kind, ms in medians.items():
                print(f"{name:34} {len(table):5} tiles  {kind:24} {ms:8.3f} ms a tile")
    print(write_record("raster", result))


def rasters(folder: Path) -> dict[str, Path]:
    """One picture on the tile grid, and about the same in UTM and in degrees."""
    pixels = smooth_noise()
    on_grid = from_origin(_CORNER.left, _CORNER.top, _PIXEL_M, _PIXEL_M)
    jpeg = {"compress": "jpeg", "photometric": "ycbcr"}
    tiled = {"tiled": True, "blockxsize": 512, "blockysize": 512}
    degrees = from_origin(8.54, 47.38, 8e-6, 5.4e-6)
    return {
        "COG on the grid, JPEG": _write(
            folder / "jpeg.tif", pixels, "EPSG:3857", on_grid, driver="COG", compress="jpeg"
        ),
        "COG on the grid, deflate": _write(folder / "grid.tif", pixels, "EPSG:3857", on_grid, driver="COG"),
        "UTM, JPEG": _write(
            folder / "utm.tif", pixels, "EPSG:32632", from_origin(465_000, 5_247_000, 0.4, 0.4), **tiled, **jpeg
        ),
        "degrees, uncompressed": _write(folder / "degrees.tif", pixels, "EPSG:4326", degrees, **tiled),
    }


def smooth_noise() -> NDArray[np.uint8]:
    """uint8 [3, side, side]."""
    small = np.random.default_rng(0).integers(0, 256, (_SIDE_PX // 8, _SIDE_PX // 8, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))


def variants(source: RasterSource, table: TileTable, *, on_grid: bool) -> dict[str, Callable[[], object]]:
    """Ways of reading every tile of a raster, each from a newly opened file."""
    path = source.path
    ways: dict[str, Callable[[], object]] = {
        "indexer": lambda: read_indexed(source, table),
        "one warp a tile": lambda: read_warped(path, table),
    }
    return ways | ({"plain window reads": lambda: read_windows(path, table)} if on_grid else {})


def read_indexed(source: RasterSource, table: TileTable) -> int:
    """Every tile as the indexer reads it; closing forgets what was drawn."""
    count = 0
    for row in range(len(table)):
        try:
            count += source.read(table.record(row)).width
        except TileWithoutData:
            continue
    source.close()
    return count


def read_warped(path: Path, table: TileTable) -> int:
    """Every tile by a warped view of its own."""
    count = 0
    with rasterio.open(path) as data:
        for z, x, y in zip(table.z.tolist(), table.x.tolist(), table.y.tolist(), strict=True):
            box = from_bounds(*mercantile.xy_bounds(x, y, z), _TILE_PX, _TILE_PX)
            view = {"crs": "EPSG:3857", "transform": box, "width": _TILE_PX, "height": _TILE_PX}
            with WarpedVRT(data, resampling=Resampling.bilinear, add_alpha=True, **view) as warped:
                count += int(warped.read([1, 2, 3]).shape[1] + (warped.dataset_mask() > 0).any())
    return count


def read_windows(path: Path, table: TileTable) -> int:
    """Every tile of a raster on the grid by a window of its own."""
    left, top = int(table.x.min()), int(table.y.min())
    count = 0
    with rasterio.open(path) as data:
        for x, y in zip(table.x.tolist(), table.y.tolist(), strict=True):
            window = Window((x - left) * _TILE_PX, (y - top) * _TILE_PX, _TILE_PX, _TILE_PX)
            count += int(data.read([1, 2, 3], window=window).shape[1])
    return count


def _write(path: Path, pixels: NDArray[np.uint8], crs: str, transform: Any, **profile: Any) -> Path:
    count, height, width = pixels.shape
    shape = {"count": count, "height": height, "width": width, "dtype": "uint8", "crs": crs, "transform": transform}
    with rasterio.open(path, "w", **({"driver": "GTiff"} | profile), **shape) as data:
        data.write(pixels)
    return path


if __name__ == "__main__":
    main()
