"""What a source says of itself is believed, or contradicted aloud."""

import json
from pathlib import Path

import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from indexer.building.build import build_index
from indexer.common.errors import BadSource
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from tests.fakes import FakeEncoder
from tests.indexer.tiny import encoded
from tests.inputs.making import (
    LEFT,
    TOP,
    ZOOM,
    ZXY,
    bounds_of,
    flipped,
    listed,
    names_of,
    place_of,
    write_folder,
    write_mbtiles,
    write_tile,
)

PLACE = place_of(ZXY)
BOUNDS = ",".join(f"{edge:.5f}" for edge in PLACE)
RIGHT = pytest.approx(PLACE, abs=1e-9)
XYZ_ROWS = list(ZXY)
TMS_ROWS = [(z, x, flipped(z, y)) for z, x, y in ZXY]
TILEMAP = (
    '<?xml version="1.0" encoding="utf-8"?><TileMap version="1.0.0" tilemapservice="http://tms.osgeo.org/1.0.0">'
    "<SRS>{srs}</SRS><BoundingBox minx='{0}' miny='{1}' maxx='{2}' maxy='{3}'/>"
    '<TileFormat width="256" height="256" extension="png"/>'
    '<TileSets profile="{profile}"><TileSet href="16" units-per-pixel="2.3886" order="16"/></TileSets></TileMap>'
)


def xyz_name(z: int, x: int, y: int) -> str:
    return f"{z}/{x}/{y}.png"


def tms_name(z: int, x: int, y: int) -> str:
    return f"{z}/{x}/{flipped(z, y)}.png"


def zyx_name(z: int, x: int, y: int) -> str:
    return f"{z}/{y}/{x}.png"


def write_tilemap(folder: Path, box: tuple[float, ...], profile: str = "mercator", srs: str = "EPSG:3857") -> None:
    (folder / "tilemapresource.xml").write_text(TILEMAP.format(*box, profile=profile, srs=srs))


def test_a_tms_folder_with_its_tilemapresource_is_turned(tmp_path: Path) -> None:
    write_tilemap(write_folder(tmp_path, tms_name), PLACE)
    listing = listed(tmp_path)
    assert listing.table.bounds.as_tuple() == RIGHT
    assert any("tilemapresource.xml" in note for note in listing.notes)


def test_an_older_tilemapresource_with_latitude_first_or_in_metres_is_understood(tmp_path: Path) -> None:
    write_tilemap(write_folder(tmp_path, tms_name), (PLACE[1], PLACE[0], PLACE[3], PLACE[2]))
    assert bounds_of(tmp_path) == RIGHT
    write_tilemap(tmp_path, (950_265.0, 6_002_230.0, 951_488.0, 6_003_453.0), srs="OSGEO:41001")
    assert bounds_of(tmp_path) == RIGHT


def test_a_tilemapresource_beside_rows_from_the_north_stops_and_names_the_option(tmp_path: Path) -> None:
    write_tilemap(write_folder(tmp_path, xyz_name), PLACE)
    with pytest.raises(BadSource, match=r"tilemapresource\.xml says .*Give --scheme xyz"):
        listed(tmp_path)
    assert bounds_of(tmp_path, scheme="xyz") == RIGHT


@pytest.mark.parametrize(("profile", "srs"), [("geodetic", "EPSG:4326"), ("raster", ""), ("mercator", "EPSG:2056")])
def test_a_tilemap_of_another_grid_stops(tmp_path: Path, profile: str, srs: str) -> None:
    write_tilemap(write_folder(tmp_path, tms_name), PLACE, profile, srs)
    with pytest.raises(BadSource, match=r"not of the Web Mercator grid.*--scheme"):
        listed(tmp_path)


def test_metadata_json_that_says_tms_is_believed_where_its_bounds_agree(tmp_path: Path) -> None:
    write_folder(tmp_path, tms_name)
    (tmp_path / "metadata.json").write_text(json.dumps({"scheme": "tms", "bounds": BOUNDS}))
    assert bounds_of(tmp_path) == RIGHT
    (tmp_path / "metadata.json").write_text(json.dumps({"scheme": "xyz", "bounds": BOUNDS}))
    with pytest.raises(BadSource, match=r"metadata\.json says .*--scheme tms"):
        listed(tmp_path)


@pytest.mark.parametrize(
    ("name", "scheme"), [(tms_name, "tms"), (zyx_name, "zyx")], ids=["from the south", "row before column"]
)
def test_bounds_alone_stop_rows_that_lie_elsewhere(tmp_path: Path, name: object, scheme: str) -> None:
    write_folder(tmp_path, name)  # type: ignore[arg-type]
    (tmp_path / "tiles.json").write_text(json.dumps({"tilejson": "2.2.0", "bounds": list(PLACE), "tiles": []}))
    with pytest.raises(BadSource, match=rf"tiles\.json says .*Give --scheme {scheme} if the place is right"):
        listed(tmp_path)
    assert bounds_of(tmp_path, scheme=scheme) == RIGHT


def test_a_tilejson_whose_addresses_put_the_row_first_is_believed(tmp_path: Path) -> None:
    write_folder(tmp_path, zyx_name)
    about = {"tilejson": "2.2.0", "tiles": ["http://127.0.0.1/{z}/{y}/{x}.png"], "bounds": list(PLACE)}
    (tmp_path / "tiles.json").write_text(json.dumps(about))
    assert bounds_of(tmp_path) == RIGHT


@pytest.mark.parametrize(("name", "said"), [(tms_name, "true"), (tms_name, "1"), (xyz_name, "false")])
def test_the_page_that_gdal2tiles_leaves_says_how_rows_are_counted(tmp_path: Path, name: object, said: str) -> None:
    write_folder(tmp_path, name)  # type: ignore[arg-type]
    page = "<script>var lyr = L.tileLayer('./{{z}}/{{x}}/{{y}}.png', {{opacity: 0.7, tms: {}, minZoom: 16}});</script>"
    (tmp_path / "leaflet.html").write_text(page.format(said))
    assert bounds_of(tmp_path) == RIGHT


def test_the_openlayers_page_of_gdal2tiles_and_a_tilejson_that_does_not_say_so_are_read(tmp_path: Path) -> None:
    page = write_folder(tmp_path / "a", tms_name) / "openlayers.html"
    page.write_text("source: new ol.source.XYZ({url: './{z}/{x}/{-y}.png'})")
    assert bounds_of(page.parent) == RIGHT
    about = write_folder(tmp_path / "b", tms_name) / "tilejson.json"
    about.write_text(json.dumps({"bounds": PLACE, "tiles": ["{z}/{x}/{y}.png"]}))
    with pytest.raises(BadSource, match=r"tilejson.json says .*Give --scheme tms if the place is right"):
        listed(about.parent)


def test_descriptions_that_are_no_such_thing_are_passed_over(tmp_path: Path) -> None:
    write_folder(tmp_path, xyz_name)
    for name, text in {
        "a.json": "[" * 5_000,
        "b.json": '{"scheme": "tms"}',
        "c.xml": "<TileMap>",
        "d.html": "<p>",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "metadata.json").write_bytes(b"\xff\xfe{")
    assert bounds_of(tmp_path) == RIGHT


def test_a_centre_decides_where_there_are_no_bounds(tmp_path: Path) -> None:
    metadata = {"format": "png", "center": "8.5418,47.3760,16"}
    assert bounds_of(write_mbtiles(tmp_path / "a.mbtiles", [*TMS_ROWS], metadata)) == RIGHT
    path = write_mbtiles(tmp_path / "b.mbtiles", [*XYZ_ROWS], metadata)
    with pytest.raises(BadSource, match=r"metadata says .*centre at .*Give --scheme xyz if the place is right"):
        listed(path)
    for number, bounds in enumerate(("-180,-85,180,85", "-180.0 -90.0 180.0 90.0")):  # of a writer that knows none
        path = write_mbtiles(tmp_path / f"w{number}.mbtiles", [*XYZ_ROWS], metadata | {"bounds": bounds})
        with pytest.raises(BadSource, match="Give --scheme xyz if the place is right"):
            listed(path)
    for number, centre in enumerate(("0,0,2", "2.35,48.85,5")):  # none, and that of some map
        assert bounds_of(write_mbtiles(tmp_path / f"{number}.mbtiles", [*TMS_ROWS], {"center": centre})) == RIGHT


def test_bounds_that_cross_the_antimeridian_or_hold_the_world_are_understood(tmp_path: Path) -> None:
    fiji = [(ZOOM, x, 35_900) for x in (65_535, 0)]
    rows = [(z, x, flipped(z, y)) for z, x, y in fiji]
    for number, bounds in enumerate(("179.99,-17.0,180.01,-16.0", "179.99,-17,-179.99,-16", "-180,-85.06,180,85.06")):
        path = write_mbtiles(tmp_path / f"{number}.mbtiles", [*rows], {"format": "png", "bounds": bounds})
        assert names_of(path) == sorted(f"{z}/{x}/{y}" for z, x, y in fiji)


def test_tiles_partly_outside_the_bounds_are_counted_in_a_warning(tmp_path: Path) -> None:
    west = place_of(ZXY[:2])
    path = write_mbtiles(tmp_path / "a.mbtiles", [*TMS_ROWS], {"bounds": ",".join(map(str, west))})
    assert any(note.startswith("warning: 50% of the tiles lie outside") for note in listed(path).notes)


def test_an_index_reads_its_pictures_by_the_scheme_that_it_was_built_by(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", [*XYZ_ROWS], {"format": "png"})
    build_index(open_source(path, SourceOptions(scheme="xyz")), FakeEncoder(), tmp_path / "index")
    index = TileIndex.open(tmp_path / "index")
    for seed, tile in enumerate(ZXY):
        image = index.tile_image(*tile)
        assert image is not None
        assert image.data == encoded(seed, 32)
    index.close()


def test_two_descriptions_that_disagree_stop(tmp_path: Path) -> None:
    write_tilemap(write_folder(tmp_path, tms_name), PLACE)
    (tmp_path / "metadata.json").write_text('{"scheme": "xyz"}')
    with pytest.raises(BadSource, match=r"says xyz .* but .*says tms .*--scheme xyz or --scheme tms"):
        listed(tmp_path)


def wmts(crs: str, template: str) -> str:
    return (
        '<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1">'
        "<Contents><Layer><ows:WGS84BoundingBox>"
        f"<ows:LowerCorner>{PLACE[0]} {PLACE[1]}</ows:LowerCorner><ows:UpperCorner>{PLACE[2]} {PLACE[3]}"
        f'</ows:UpperCorner></ows:WGS84BoundingBox><ResourceURL template="{template}"/></Layer><TileMatrixSet>'
        f"<ows:SupportedCRS>urn:ogc:def:crs:{crs}</ows:SupportedCRS></TileMatrixSet></Contents></Capabilities>"
    )


def test_wmts_capabilities_give_the_order_of_row_and_column_and_the_grid(tmp_path: Path) -> None:
    write_folder(tmp_path, zyx_name)
    (tmp_path / "wmts.xml").write_text(wmts("EPSG:6.18:3:3857", "t/{TileMatrix}/{TileRow}/{TileCol}.png"))
    assert bounds_of(tmp_path) == RIGHT
    (tmp_path / "wmts.xml").write_text(wmts("OGC:1.3:CRS84", "t/{TileMatrix}/{TileRow}/{TileCol}.png"))
    with pytest.raises(BadSource, match="reference system CRS84"):
        listed(tmp_path)


def test_levels_of_other_sizes_than_the_zooms_of_their_names_stop(tmp_path: Path) -> None:
    write_tilemap(write_folder(tmp_path / "tms", tms_name), PLACE)
    sidecar = tmp_path / "tms" / "tilemapresource.xml"  # the specification's own profile starts with 2 x 2 tiles
    whole = sidecar.read_text()
    sidecar.write_text(whole.replace('"256"', '"512"'))  # of gdal2tiles --tilesize 512
    assert bounds_of(tmp_path / "tms") == RIGHT
    sidecar.write_text(whole.replace("2.3886", "1.1943"))
    with pytest.raises(BadSource, match=r"level 16 has the tile size of zoom 17\.00.*--scheme"):
        listed(tmp_path / "tms")
    matrix = (
        "<TileMatrix><ows:Identifier>16</ows:Identifier><ScaleDenominator>{}</ScaleDenominator><TileWidth>512</TileWidth>"
        "</TileMatrix></TileMatrixSet>"
    )
    text = wmts("EPSG::3857", "t/{TileMatrix}/{TileCol}/{TileRow}.png")
    write_folder(tmp_path / "wmts", xyz_name)
    for scale, right in ((559082264.0287178 / 2**17, True), (559082264.0287178 / 2**16, False)):
        (tmp_path / "wmts" / "wmts.xml").write_text(text.replace("</TileMatrixSet>", matrix.format(scale)))
        if right:
            assert bounds_of(tmp_path / "wmts") == RIGHT
        else:
            with pytest.raises(BadSource, match=r"level 16 has the tile size of zoom 15\.00"):
                listed(tmp_path / "wmts")


def test_tiles_beyond_the_grids_eastern_edge_are_geodetic_ones(tmp_path: Path) -> None:
    east = [(10, 1_074, 242), (10, 1_075, 242)]  # of the two-by-one grid of EPSG:4326: 8.8 E, 47.4 N
    write_folder(tmp_path / "folder", xyz_name, east)
    write_mbtiles(tmp_path / "a.mbtiles", [*east], {"format": "png"})
    for path in (tmp_path / "folder", tmp_path / "a.mbtiles"):
        with pytest.raises(BadSource, match=r"geodetic grid \(EPSG:4326"):
            listed(path)


def test_mbtiles_from_the_north_stop_where_bounds_say_so_and_the_scheme_settles_it(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", [*XYZ_ROWS], {"format": "png", "bounds": BOUNDS, "scheme": "xyz"})
    with pytest.raises(BadSource, match=r"metadata says .*Give --scheme xyz if the place is right"):
        listed(path)
    listing = listed(path, scheme="xyz")
    assert listing.table.bounds.as_tuple() == RIGHT
    source = open_source(path, SourceOptions(scheme="xyz"))
    assert source.read(listing.table.record(0)) == encoded(0, 32)
    source.close()


def test_mbtiles_by_the_specification_stay_where_they_are_whatever_their_key_scheme_says(tmp_path: Path) -> None:
    for number, metadata in enumerate(({"scheme": "xyz", "bounds": BOUNDS}, {"scheme": "xyz"}, {"bounds": "oops"})):
        path = write_mbtiles(tmp_path / f"{number}.mbtiles", [*TMS_ROWS], {"format": "png", **metadata})
        assert bounds_of(path) == RIGHT
        assert bool(listed(path).notes) == (number < 3)


def test_a_scheme_against_the_bounds_is_followed_with_a_warning(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", [*TMS_ROWS], {"format": "png", "bounds": BOUNDS})
    listing = listed(path, scheme="xyz")
    assert listing.table.bounds.north < 0
    assert any(note.startswith("warning: metadata says") for note in listing.notes)


def write_pmtiles(
    path: Path, rows: list[tuple[int, int, int]], box: tuple[float, ...], centre: tuple[float, float] = (0.0, 0.0)
) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        for z, x, y in sorted(rows, key=lambda tile: zxy_to_tileid(*tile)):
            writer.write_tile(zxy_to_tileid(z, x, y), encoded(rows.index((z, x, y)), 32))
        header = {"tile_type": TileType.PNG, "tile_compression": Compression.NONE, "min_zoom": 0, "max_zoom": ZOOM}
        names = ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7")
        header |= {name: round(edge * 1e7) for name, edge in zip(names, box, strict=True)}
        header |= {"center_lon_e7": round(centre[0] * 1e7), "center_lat_e7": round(centre[1] * 1e7)}
        writer.finalize(header | {"center_zoom": 0}, {})
    return path


def test_pmtiles_that_lie_elsewhere_than_their_header_says_stop(tmp_path: Path) -> None:
    path = write_pmtiles(tmp_path / "a.pmtiles", TMS_ROWS, PLACE)
    with pytest.raises(BadSource, match=r"the header says .*Give --scheme tms if the place is right"):
        listed(path)
    listing = listed(path, scheme="tms")
    assert listing.table.bounds.as_tuple() == RIGHT
    source = open_source(path, SourceOptions(scheme="tms"))
    tiles = [listing.table.record(number) for number in range(4)]
    found = {tile.tile_id: source.read(tile) for tile in tiles}
    assert found == {f"{z}/{x}/{y}": encoded(seed, 32) for seed, (z, x, y) in enumerate(ZXY)}
    source.close()
    assert bounds_of(write_pmtiles(tmp_path / "b.pmtiles", XYZ_ROWS, PLACE)) == RIGHT
    path = write_pmtiles(tmp_path / "c.pmtiles", TMS_ROWS, (-180.0, -85.0511, 180.0, 85.0511), (8.5418, 47.3760))
    with pytest.raises(BadSource, match=r"the header says .*centre.*Give --scheme tms if the place is right"):
        listed(path)


def test_a_scheme_works_for_every_source_that_has_rows(tmp_path: Path) -> None:
    orders = {"xyz": XYZ_ROWS, "tms": TMS_ROWS, "zyx": [(z, y, x) for z, x, y in ZXY]}
    for scheme, rows in orders.items():
        paths = [
            write_folder(tmp_path / scheme, xyz_name, rows),
            write_mbtiles(tmp_path / f"{scheme}.mbtiles", [*rows], {"format": "png"}),
            write_pmtiles(tmp_path / f"{scheme}.pmtiles", rows, (0.0, 0.0, 0.0, 0.0)),
        ]
        assert [bounds_of(path, scheme=scheme) for path in paths] == [RIGHT] * 3
    for path in paths[1:]:
        with pytest.raises(BadSource, match="numbers its tiles, so --scheme quadkey does not apply"):
            listed(path, scheme="quadkey")


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        ("{z}_{x}_{y}.png", lambda z, x, y: f"{z}_{x}_{y}.png"),
        ("z{z}/{-y}-{x}.png", lambda z, x, y: f"z{z}/{flipped(z, y)}-{x}.png"),
        ("*/{z}/{y}/{x}.png", lambda z, x, y: f"2024/{z}/{y}/{x}.png"),
        ("{z}/{x}/{z}.{y}@2x.png", lambda z, x, y: f"{z}/{x}/{z}.{y}@2x.png"),
    ],
)
def test_a_pattern_names_tiles_of_ones_own(tmp_path: Path, scheme: str, name: object) -> None:
    write_folder(tmp_path, name)  # type: ignore[arg-type]
    assert bounds_of(tmp_path, scheme=scheme) == RIGHT


@pytest.mark.parametrize("scheme", ["wmts", "{z}/{x}.png", "{z}/{x}/{row}.png", "{q}_{z}"])
def test_a_scheme_that_places_nothing_is_refused(scheme: str) -> None:
    with pytest.raises(BadSource, match="scheme"):
        SourceOptions(scheme=scheme)


def test_tiles_of_twice_the_pixels_are_the_same_ground(tmp_path: Path) -> None:
    write_folder(tmp_path, lambda z, x, y: f"{z}/{x}/{y}@2x.png")
    assert names_of(tmp_path) == [f"{ZOOM}/{LEFT + x}/{TOP + y}" for x in range(2) for y in range(2)]
    write_tile(tmp_path / xyz_name(*ZXY[0]))
    table = listed(tmp_path).table
    assert sorted(table.source.tolist()) == [
        xyz_name(*ZXY[0]), *(f"{z}/{x}/{y}@2x.png" for z, x, y in ZXY[1:])
    ]  # fmt: skip


def test_a_grid_tile_that_is_not_square_stops_the_build(tmp_path: Path) -> None:
    write_folder(tmp_path / "tiles", xyz_name)
    write_tile(tmp_path / "tiles" / xyz_name(*ZXY[2]), 7, (64, 32))
    with pytest.raises(BadSource, match=r"is 64 x 32 pixels, and a tile of the Web Mercator grid is square"):
        build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_a_listed_picture_need_not_be_square(tmp_path: Path) -> None:
    write_tile(tmp_path / "a.png", 7, (64, 32))
    (tmp_path / "list.csv").write_text("path,west,south,east,north\na.png,8.0,47.0,8.002,47.001\n")
    summary = build_index(open_source(tmp_path / "list.csv"), FakeEncoder(), tmp_path / "index")
    assert summary.embedded == 1
