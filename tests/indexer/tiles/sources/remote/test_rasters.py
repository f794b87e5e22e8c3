"""Rasters at addresses are cut as those on disk are, and STAC items name which."""

import json
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.common.errors import BadSource
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, content
from tests.indexer.tiles.sources.rasters import write_raster
from tests.indexer.tiles.sources.remote.serving import Served

REMOTE = RemoteOptions(remote=True, attribution="tests", rate_limit=1000.0)
ALLOWED = SourceOptions(zoom=17, min_valid=0.1, remote=REMOTE)


def item(name: str, **assets: str) -> dict[str, object]:
    stated = {key: {"href": href, "type": "image/tiff; application=geotiff"} for key, href in assets.items()}
    stated["thumbnail"] = {"href": "a.jpg", "type": "image/jpeg"}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "geometry": None,
        "properties": {},
        "assets": stated,
    }


def test_a_raster_at_an_address_makes_the_index_of_the_one_on_disk(served: Served, root: Path, tmp_path: Path) -> None:
    write_raster(root / "a.tif")
    source = open_source(f"{served.url}/a.tif", ALLOWED)
    build_index(source, FakeEncoder(), tmp_path / "index", spec=SPEC)
    local = open_source(root / "a.tif", SourceOptions(zoom=17, min_valid=0.1))
    build_index(local, FakeEncoder(), tmp_path / "local", spec=SPEC)
    assert content(tmp_path / "index") == content(tmp_path / "local")
    assert 206 in served.statuses()
    source.close()


@pytest.mark.parametrize("where", ["disk", "address"])
def test_items_are_one_mosaic(served: Served, root: Path, where: str) -> None:
    from rasterio.transform import from_origin

    write_raster(root / "a.tif")
    write_raster(root / "b.tif", transform=from_origin(1_000_512.0, 6_000_000.0, 2.0, 2.0))
    items = [item("a", visual="a.tif", B04="b.tif"), item("b", visual=f"{served.url}/b.tif")]
    (root / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    name = str(root / "items.json") if where == "disk" else f"{served.url}/items.json"
    source = open_source(name, ALLOWED)
    table = source.list_tiles().table
    both = open_source(root, SourceOptions(zoom=17)).list_tiles().table
    assert table.tile_id.tolist() == both.tile_id.tolist()
    assert source.describe()["attribution"] == "tests"
    assert source.read(table.record(0)).size == (256, 256)  # type: ignore[union-attr]
    source.close()


def test_items_on_disk_need_no_network(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif")
    (tmp_path / "items.json").write_text(json.dumps(item("a", data="a.tif")))
    source = open_source(tmp_path / "items.json", SourceOptions(zoom=17))
    assert len(source.list_tiles().table) > 0
    assert (source.kind, "attribution" in source.describe()) == ("stac", False)
    source.close()


@pytest.mark.parametrize(
    ("content_", "reason"),
    [
        ("no json", "is no STAC item"),
        ("[]", "is no STAC item"),
        (json.dumps({"type": "Catalog", "stac_version": "1.1.0"}), "a catalogue is not walked through"),
        (json.dumps({"type": "FeatureCollection", "features": []}), "holds nothing"),
        (json.dumps(item("a")), r"has 0 GeoTIFFs"),
        (json.dumps(item("a", red="a.tif", nir="b.tif")), "choose one with --asset"),
        (json.dumps(item("a", data="https://t.example/a.tif")), "add --remote"),
        (json.dumps(item("a", data="ftp://t.example/a.tif")), "only http, https and s3"),
        (json.dumps(item("a", data="missing.tif")), "cannot be opened as a raster"),
    ],
)
def test_items_that_name_no_raster_are_refused(tmp_path: Path, content_: str, reason: str) -> None:
    (tmp_path / "items.json").write_text(content_)
    with pytest.raises(BadSource, match=reason):
        open_source(tmp_path / "items.json")


def test_rasters_that_are_gone_or_none_are_refused(served: Served, root: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="cannot be read"):
        open_source(f"{served.url}/missing.tif", ALLOWED)
    (root / "text.tif").write_bytes(b"text")
    with pytest.raises(BadSource, match="cannot be opened as a raster"):
        open_source(f"{served.url}/text.tif", ALLOWED)
    write_raster(tmp_path / "a.tif")
    (tmp_path / "items.json").write_text(json.dumps(item("a", data="a.tif")))
    with pytest.raises(BadSource, match="has no GeoTIFF other; it has data"):
        open_source(tmp_path / "items.json", SourceOptions(asset="other"))
