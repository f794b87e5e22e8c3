"""Statements in odd places or forms, and two that disagree: believed, refused, or said aloud, never passed over."""

import json
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from affine import Affine

from indexer.common.errors import BadSource
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.wkb import box_wkb
from tests.inputs.making import ZXY, flipped, listed, names_of, place_of, write_folder, write_mbtiles, write_tile
from tests.inputs.rasters import write_painted

NAMES = sorted(f"{z}/{x}/{y}" for z, x, y in ZXY)
SETS = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"
EDGES = list(place_of(ZXY))
CORNERS = {"lat": EDGES[1], "lng": EDGES[0]}, {"lat": EDGES[3], "lng": EDGES[2]}
BOX = box_wkb(*(np.array([edge]) for edge in (8.5, 47.1, 8.501, 47.101)))[0]


def from_the_south(root: Path) -> Path:
    """Tiles of Zurich whose rows count from the south; taken from the north they lie in the Indian Ocean."""
    return write_folder(root, lambda z, x, y: f"{z}/{x}/{flipped(z, y)}.png")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.json", {"json": json.dumps({"bounds": EDGES})}),
        ("tiles.json", {"bounds": EDGES, "tiles": ["https://example.org/{z}/{x}/{y}.png"]}),
        ("metadata.json", {"bounds": "; ".join(str(edge).replace(".", ",") for edge in EDGES)}),
        ("metadata.json", {"bounds": [EDGES[0], EDGES[3], EDGES[2], EDGES[1]]}),
        ("metadata.json", {"bounds": [[EDGES[0], EDGES[1]], [EDGES[2], EDGES[3]]]}),
        ("metadata.json", {"bounds": [[EDGES[1], EDGES[0]], [EDGES[3], EDGES[2]]]}),
        ("metadata.json", {"bounds": dict(zip(("left", "bottom", "right", "top"), EDGES, strict=True))}),
        ("metadata.json", {"bounds": dict(zip(("min_lon", "min_lat", "max_lon", "max_lat"), EDGES, strict=True))}),
        ("metadata.json", {"bounds": {"_southWest": CORNERS[0], "_northEast": CORNERS[1]}}),
        ("metadata.json", {"bounds": {"sw": [*EDGES[:2]], "ne": [*EDGES[2:]]}}),
        ("metadata.json", {"bounds": list(CORNERS)}),
        ("metadata.json", {"extent": ", ".join(map(str, EDGES))}),
        ("metadata.json", {"fullExtent": " ".join(map(str, EDGES))}),
        ("metadata.json", {"bounds": [-180, -85.06, 180, 85.06], "extent": list(EDGES)}),
    ],
    ids=[
        "in a document within",
        "in a TileJSON that does not say so",
        "with decimal commas",
        "north before south",
        "two corners",
        "two corners, latitude first",
        "edges as rasterio names them",
        "edges in snake case",
        "Leaflet's object",
        "corners by name",
        "corners whose numbers have names",
        "an extent as text",
        "ArcGIS's extent as text",
        "an extent beside the bounds of the world",
    ],
)
def test_bounds_in_another_form_are_held_against_the_rows(tmp_path: Path, name: str, content: object) -> None:
    root = from_the_south(tmp_path / "tiles")
    (root / name).write_text(json.dumps(content))
    with pytest.raises(BadSource, match="Give --scheme tms"):
        listed(root)
    assert names_of(root, scheme="tms") == NAMES


def test_bounds_in_the_document_within_mbtiles_are_held_against_the_rows(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", list(ZXY), {"json": json.dumps({"bounds": EDGES})})
    with pytest.raises(BadSource, match="Give --scheme xyz"):
        listed(path)


@pytest.mark.parametrize(
    "page",
    [
        'L.tileLayer( "{z}/{x}/{y}.png" , {"tms": true})',
        "L.tileLayer('./{z}/{x}/{y}.png', {minZoom: 1, tms : 1})",
        'new OpenLayers.Layer.TMS("TMS Overlay", "", {type: "png", getURL: overlay_getTileURL})',
    ],
)
def test_a_page_that_shows_the_tiles_is_understood_however_it_is_written(tmp_path: Path, page: str) -> None:
    root = from_the_south(tmp_path / "tiles")
    (root / "leaflet.html").write_text(page)
    assert names_of(root) == NAMES


def test_a_damaged_tilemapresource_still_says_that_rows_count_from_the_south(tmp_path: Path) -> None:
    root = from_the_south(tmp_path / "tiles")
    (root / "tilemapresource.xml").write_text("<TileMap><TileSets profile='mercator'>")
    assert names_of(root) == NAMES
    assert any("warning: tilemapresource.xml cannot be read" in note for note in listed(root).notes)


def test_a_damaged_description_is_said(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "tiles", lambda z, x, y: f"{z}/{x}/{y}.png")
    (root / "metadata.json").write_text('{"bounds": [8.5')
    assert any("warning: metadata.json cannot be read" in note for note in listed(root).notes)


def test_a_description_in_rows_is_read_as_the_table_of_mbtiles_has_them(tmp_path: Path) -> None:
    root = from_the_south(tmp_path / "tiles")
    rows = [{"name": "bounds", "value": ",".join(map(str, EDGES))}, {"name": "format", "value": "png"}]
    (root / "metadata.json").write_text(json.dumps(rows))
    with pytest.raises(BadSource, match="Give --scheme tms"):
        listed(root)
    (root / "metadata.json").write_text("[1, 2]")
    assert any("cannot be read (it is a list without names and values)" in note for note in listed(root).notes)


@pytest.mark.parametrize("centre", [[8.5418, 47.376, 16], [47.376, 8.5418], {"lat": 47.376, "lng": 8.5418}])
def test_a_centre_is_understood_in_either_order_and_by_name(tmp_path: Path, centre: object) -> None:
    root = from_the_south(tmp_path / "tiles")
    (root / "metadata.json").write_text(json.dumps({"center": centre}))
    with pytest.raises(BadSource, match=r"centre at .*Give --scheme tms if the place is right"):
        listed(root)


@pytest.mark.parametrize(("said", "warned"), [({"maxzoom": "15"}, True), ({"minzoom": 14, "maxzoom": 17}, False)])
def test_another_zoom_than_the_stated_ones_is_said(tmp_path: Path, said: dict[str, object], warned: bool) -> None:
    root = write_folder(tmp_path / "tiles", lambda z, x, y: f"{z}/{x}/{y}.png")
    (root / "metadata.json").write_text(json.dumps(said))
    assert warned == any("and zoom 16 is indexed" in note for note in listed(root).notes)


def degrees_raster(path: Path) -> Path:
    return write_painted(path, "EPSG:4326", Affine(1e-4, 0, 8.5, 0, -1e-4, 47.2))


@pytest.mark.parametrize(
    "said",
    [
        "<SRS>EPSG:4326</SRS><GeoTransform>9.5, 1e-4, 0, 47.2, 0, -1e-4</GeoTransform>",
        "<SRS>EPSG:32632</SRS><GeoTransform>460000, 10, 0, 5240000, 0, -10</GeoTransform>",
    ],
)
def test_a_pam_file_that_moves_a_raster_stops_the_build(tmp_path: Path, said: str) -> None:
    path = degrees_raster(tmp_path / "a.tif")
    Path(f"{path}.aux.xml").write_text(f"<PAMDataset>{said}</PAMDataset>")
    with pytest.raises(BadSource, match=r"corner is at 8\.5, 47\.2, and a\.tif\.aux\.xml puts it at"):
        listed(path)


@pytest.mark.parametrize(("west", "warned"), [("8.50005", False), ("9.50005", True)])
def test_a_world_file_that_contradicts_a_raster_is_said(tmp_path: Path, west: str, warned: bool) -> None:
    path = degrees_raster(tmp_path / "a.tif")
    path.with_suffix(".tfw").write_text(f"1e-4\n0\n0\n-1e-4\n{west}\n47.19995\n")
    listing = listed(path)
    assert warned == any("a.tfw puts it at 9.5" in note for note in listing.notes)
    assert listing.table.bounds.west < 8.5 < listing.table.bounds.east


def one_footprint(path: Path, geometry: bytes, field: dict[str, str] | None = None) -> Path:
    write_tile(path.parent / "t.png")
    schema = pa.schema([pa.field("path", pa.string()), pa.field("geometry", pa.binary(), metadata=field)])
    pq.write_table(pa.table({"path": ["t.png"], "geometry": [geometry]}, schema=schema), path)
    return path


def with_srid(srid: int) -> bytes:
    """The box as PostGIS writes it: little-endian, the flag and the number behind the type."""
    return BOX[:1] + struct.pack("<II", 3 | 0x20000000, srid) + BOX[5:]


@pytest.mark.parametrize("srid", [2056, 3857])
def test_a_geometry_that_names_another_reference_system_is_refused(tmp_path: Path, srid: int) -> None:
    data = with_srid(srid)
    with pytest.raises(BadSource, match=f"row 1 .*SRID is {srid}; transform it to EPSG:4326"):
        listed(one_footprint(tmp_path / "a.parquet", data))
    right = with_srid(4326)
    assert listed(one_footprint(tmp_path / "b.parquet", right)).table.west[0] == 8.5


def test_the_reference_system_of_an_arrow_column_counts_too(tmp_path: Path) -> None:
    said = {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": json.dumps({"crs": "EPSG:2056"})}
    with pytest.raises(BadSource, match="reference system EPSG:2056"):
        listed(one_footprint(tmp_path / "a.parquet", BOX, said))
    said["ARROW:extension:metadata"] = json.dumps({"crs": "OGC:CRS84"})
    assert listed(one_footprint(tmp_path / "b.parquet", BOX, said)).table.west[0] == 8.5


class WellKnownBinary(pa.ExtensionType):  # type: ignore[misc]
    """What pyarrow writes as Parquet's own type for geometries."""

    def __init__(self, crs: str) -> None:
        self.crs = crs
        super().__init__(pa.binary(), "geoarrow.wkb")

    def __arrow_ext_serialize__(self) -> bytes:
        return json.dumps({"crs": self.crs}).encode() if self.crs else b"{}"

    @classmethod
    def __arrow_ext_deserialize__(cls, _: pa.DataType, said: bytes) -> "WellKnownBinary":
        return cls(json.loads(said).get("crs", ""))


@pytest.fixture
def parquets_own_type() -> Iterator[None]:
    pa.register_extension_type(WellKnownBinary(""))
    yield
    with suppress(KeyError):
        pa.unregister_extension_type("geoarrow.wkb")


@pytest.mark.usefixtures("parquets_own_type")
@pytest.mark.parametrize("crs", ["EPSG:4267", "EPSG:2056", "OGC:CRS84", ""])
def test_the_reference_system_of_parquets_own_geometry_type_counts_too(tmp_path: Path, crs: str) -> None:
    """Files that say it there alone: neither a description of GeoParquet nor one of Arrow's."""
    write_tile(tmp_path / "t.png")
    shapes = pa.ExtensionArray.from_storage(WellKnownBinary(crs), pa.array([BOX]))
    pq.write_table(pa.table({"path": ["t.png"], "geometry": shapes}), tmp_path / "a.parquet", store_schema=False)
    pa.unregister_extension_type("geoarrow.wkb")
    assert "Geometry" in str(pq.ParquetFile(tmp_path / "a.parquet").schema)
    if crs in ("EPSG:4267", "EPSG:2056"):
        with pytest.raises(BadSource, match=f"reference system {crs}; transform"):
            listed(tmp_path / "a.parquet")
    else:
        assert listed(tmp_path / "a.parquet").table.west[0] == 8.5


def test_degrees_of_16_bits_are_refused(tmp_path: Path) -> None:
    table = {"path": pa.array(["t.png"], pa.string_view()), "lat": pa.array(np.array([47.1], np.float16)), "lon": [8.5]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(BadSource, match=r"column lat of .* has numbers of 16 bits"):
        listed(tmp_path / "a.parquet", tile_size_m=50.0)


def test_a_row_without_a_number_is_named_as_that(tmp_path: Path) -> None:
    write_tile(tmp_path / "t.png")
    (tmp_path / "a.csv").write_text("path,lat,lon\nt.png,47.1,8.5\nTotal,,\n")
    with pytest.raises(BadSource, match=r"row 2 of .* has no lat"):
        open_source(tmp_path / "a.csv", SourceOptions(tile_size_m=50.0)).list_tiles()


def test_mbtiles_whose_metadata_are_no_document_within_are_read(tmp_path: Path) -> None:
    rows: list[tuple[object, object, object]] = [(z, x, flipped(z, y)) for z, x, y in ZXY]
    for number, text in enumerate(["{", "[1, 2]", "null", ""]):
        assert names_of(write_mbtiles(tmp_path / f"{number}.mbtiles", rows, {"json": text})) == NAMES


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("layer.json", {"tilejson": "2.1.0", "scheme": "tms", "projection": "EPSG:4326"}),
        ("tiles.json", {"tilejson": "3.0.0", "tileMatrixSetURI": SETS + "WorldCRS84Quad"}),
        ("metadata.json", {"crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}),
        ("metadata.json", {"crs": {"uri": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}}),
        ("metadata.json", {"tileMatrixSetId": "UTM31WGS84Quad"}),
        ("metadata.json", {"projection": "geodetic"}),
        ("root.json", {"tileInfo": {"rows": 256, "spatialReference": {"wkid": 4326, "latestWkid": 4326}}}),
        ("root.json", {"tileInfo": {"rows": 256, "spatialReference": {"wkid": 2056}}}),
        ("metadata.json", {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}}}),
        (
            "metadata.json",
            {"crs": {"type": "GeographicCRS", "name": "WGS 84", "id": {"authority": "EPSG", "code": 4326}}},
        ),
        ("metadata.json", {"spatialReference": {"wkt": 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984"]]'}}),
        ("metadata.json", {"crs": 'PROJCRS["CH1903+ / LV95",ID["EPSG",2056]]'}),
    ],
)
def test_another_grid_is_understood_under_whatever_key_it_is_named(
    tmp_path: Path, name: str, content: dict[str, object]
) -> None:
    write_folder(tmp_path, lambda z, x, y: f"{z}/{x}/{y}.png")
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(BadSource, match=r"not of the Web Mercator grid.*--scheme"):
        listed(tmp_path)
    assert names_of(tmp_path, scheme="xyz") == NAMES


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tiles.json", {"tilejson": "3.0.0", "projection": "EPSG:3857"}),
        ("tiles.json", {"tilejson": "3.0.0", "tileMatrixSetURI": SETS + "WebMercatorQuad"}),
        ("metadata.json", {"crs": "http://www.opengis.net/def/crs/EPSG/0/3857"}),
        ("metadata.json", {"projection": "mercator"}),
        ("root.json", {"tileInfo": {"rows": 256, "spatialReference": {"wkid": 102100, "latestWkid": 3857}}}),
    ],
)
def test_the_web_mercator_grid_is_understood_likewise(tmp_path: Path, name: str, content: dict[str, object]) -> None:
    write_folder(tmp_path, lambda z, x, y: f"{z}/{x}/{y}.png")
    (tmp_path / name).write_text(json.dumps(content))
    assert names_of(tmp_path) == NAMES
