"""Files that point at other files: what they name is counted and compared, and never fetched."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from indexer.common.errors import BadSource
from indexer.tiles.sources.stamps import raster_members
from tests.indexer.tiles.sources.test_fetching_rasters import asked
from tests.inputs.rasters import open_raster, write

__all__ = ["asked"]

PLACE = {"crs": "EPSG:32719", "transform": Affine(1.0, 0.0, 340_000.0, 0.0, -1.0, 6_300_000.0)}
"""Santiago de Chile."""
Asked = tuple[str, list[str]]


def grey(path: Path, level: int, side: int = 1024) -> Path:
    return write(path, np.full((3, side, side), level, np.uint8), **PLACE)


def tagged(path: Path, name: str) -> Path:
    """A GeoTIFF that names its overviews itself."""
    with rasterio.open(grey(path, 10), "r+") as data:
        data.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=name)
    return path


def virtual(path: Path, source: str, more: str = "", band: str = "") -> Path:
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{number}"><SimpleSource><SourceFilename relativeToVRT="1">{source}'
        f"</SourceFilename><SourceBand>{number}</SourceBand></SimpleSource>{band}</VRTRasterBand>"
        for number in (1, 2, 3)
    )
    path.write_text(
        '<VRTDataset rasterXSize="1024" rasterYSize="1024"><SRS>EPSG:32719</SRS>'
        f"<GeoTransform>340000, 1, 0, 6300000, 0, -1</GeoTransform>{more}{bands}</VRTDataset>"
    )
    return path


def overviews_of(name: str) -> str:
    return f'<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{name}</MDI></Metadata>'


@pytest.mark.parametrize("kind", ["own tags", "beside it", "virtual"])
def test_overviews_that_a_raster_names_itself_count_and_are_compared(tmp_path: Path, kind: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = grey((tmp_path if kind == "beside it" else tmp_path / "elsewhere") / "other.tif", 250, 256)
    if kind == "virtual":
        grey(tmp_path / "member.tif", 10)
        path = virtual(tmp_path / "a.vrt", "member.tif", overviews_of(str(other)))
    else:
        path = tagged(tmp_path / "a.tif", ":::BASE:::other.tif" if kind == "beside it" else str(other))
    source = open_raster(path, zoom=14)
    assert other in source.members()
    assert "other.tif shows something else than the raster itself" in " ".join(source.list_tiles().notes)
    source.close()


def test_overviews_within_a_virtual_raster_are_compared(tmp_path: Path) -> None:
    grey(tmp_path / "member.tif", 10)
    grey(tmp_path / "other.tif", 250, 256)
    named = (
        '<Overview><SourceFilename relativeToVRT="1">other.tif</SourceFilename><SourceBand>1</SourceBand></Overview>'
    )
    source = open_raster(virtual(tmp_path / "a.vrt", "member.tif", band=named), zoom=14)
    assert tmp_path / "other.tif" in source.members()
    assert "its overviews show something else than the raster itself" in " ".join(source.list_tiles().notes)
    source.close()


def test_overviews_of_its_own_are_no_warning(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 255, (3, 32, 32), dtype=np.uint8).repeat(32, 1).repeat(32, 2)
    path = write(tmp_path / "a.tif", pixels, **PLACE)
    with rasterio.open(path, "r+") as data:
        data.build_overviews([2, 4], rasterio.enums.Resampling.average)
    source = open_raster(path, zoom=14)
    assert not [note for note in source.list_tiles().notes if "overviews" in note]
    source.close()


@pytest.mark.parametrize("kind", ["own tags", "virtual", "packed", "heights", "gains", "after text"])
def test_what_would_be_fetched_by_way_of_a_file_is_refused_unasked(tmp_path: Path, asked: Asked, kind: str) -> None:
    address, paths = asked
    far = f"/vsicurl/{address}/a.tif"
    path = tmp_path / "a.vrt"
    grey(tmp_path / "member.tif", 10)
    if kind == "own tags":
        path = tagged(tmp_path / "a.tif", far)
    elif kind == "virtual":
        virtual(path, "member.tif", overviews_of(far))
    elif kind == "packed":
        tagged(tmp_path / "member.tif", far)
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.write(tmp_path / "member.tif", "member.tif")
        virtual(path, f"/vsizip/{tmp_path}/all.zip/member.tif")
        path.write_text(path.read_text().replace('relativeToVRT="1"', 'relativeToVRT="0"'))
    elif kind == "heights":
        virtual(path, "member.tif", f"<RPCTransformer><DEMPath>{far}</DEMPath></RPCTransformer>")
    elif kind == "gains":
        virtual(path, "member.tif", f'<Step><Argument name="gain_dataset_filename_1">{far}</Argument></Step>')
    else:
        path = virtual(tmp_path / "a.tif", "member.tif", overviews_of(far))
        path.write_text(f"no raster {path.read_text()}")
    with pytest.raises(BadSource, match="GDAL would fetch"):
        open_raster(path, zoom=14)
    assert paths == []


@pytest.mark.parametrize("before", ["", " " * 700, "\ufeff"])
def test_json_under_the_name_of_a_raster_is_not_followed(tmp_path: Path, asked: Asked, before: str) -> None:
    """GDAL reads STAC items as a raster, and asks for what they name."""
    address, paths = asked
    assets = {"visual": {"href": f"{address}/a.tif", "proj:shape": [9, 9], "proj:transform": [1, 0, 8, 0, -1, 48]}}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "a", "properties": {"proj:epsg": 4326}, "assets": assets}
    path = tmp_path / "a.tif"
    path.write_text(before + json.dumps({"type": "FeatureCollection", "features": [item]}))
    with pytest.raises(BadSource, match=r"is no raster but describes one that GDAL would fetch"):
        open_raster(path)
    assert paths == []


def test_a_virtual_raster_by_another_name_is_read_with_its_members(tmp_path: Path) -> None:
    member = grey(tmp_path / "member.tif", 10)
    path = virtual(tmp_path / "mosaic.tif", "member.tif")
    assert member in raster_members(path)
    member.unlink()
    with pytest.raises(BadSource, match=r"mosaic\.tif is made of member\.tif, which is not there"):
        open_raster(path)


@pytest.mark.parametrize("name", ["a.ovr", "a.TIFW", "a_metadata.txt", "a.tif.ovr.aux.xml"])
def test_what_gdal_reads_beside_a_raster_counts_whenever_it_comes(tmp_path: Path, name: str) -> None:
    source = open_raster(grey(tmp_path / "a.tif", 10), zoom=14)
    assert source.changes() == []
    before = {path for path in source.members() if path.is_file()}
    (tmp_path / name).write_text("1\n0\n0\n-1\n0\n0\n")
    now = {path for path in raster_members(tmp_path / "a.tif") if path.is_file()}
    known = tmp_path / name in source.members()
    assert (now > before) == (known or bool(source.changes())) == (name != "a.ovr")  # GDAL asks for a.tif.ovr
    source.close()
