"""Overviews beside a raster that are not its own are noticed; its own are not doubted, however they were made."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from indexer.tiles.sources.overviews import doubts_of_overviews
from tests.inputs.rasters import write

PIXELS = np.random.default_rng(3).integers(0, 4000, (1, 512, 512)).astype(np.uint16)
PLACE = {"crs": "EPSG:3857", "transform": rasterio.transform.from_origin(950_000, 6_000_000, 1, 1)}


def with_overviews(path: Path, pixels: np.ndarray, how: str = "average") -> Path:
    write(path, pixels, **PLACE)
    with rasterio.Env(TIFF_USE_OVR="YES"), rasterio.open(path, "r+") as data:
        data.build_overviews([2, 4], getattr(rasterio.enums.Resampling, how))
    assert Path(f"{path}.ovr").exists()
    return path


def doubts(path: Path) -> list[str]:
    with rasterio.open(path) as data:
        return doubts_of_overviews(data, path)


@pytest.mark.parametrize("how", ["average", "nearest", "cubic"])
def test_its_own_overviews_are_not_doubted(tmp_path: Path, how: str) -> None:
    assert doubts(with_overviews(tmp_path / "a.tif", PIXELS, how)) == []


def test_those_of_another_raster_are(tmp_path: Path) -> None:
    path = with_overviews(tmp_path / "a.tif", PIXELS)
    other = with_overviews(tmp_path / "b.tif", PIXELS // 3)
    Path(f"{other}.ovr").replace(f"{path}.ovr")
    (said,) = doubts(path)
    assert "a.tif.ovr shows something else than the raster itself" in said


def test_without_a_file_beside_there_is_nothing_to_doubt(tmp_path: Path) -> None:
    assert doubts(write(tmp_path / "a.tif", PIXELS, **PLACE)) == []
