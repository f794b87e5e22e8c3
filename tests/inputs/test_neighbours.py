"""Grids, archives and caches of neighbouring tools: read right, or refused by name."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from indexer.common.errors import BadSource
from tests.indexer.tiny import encoded
from tests.inputs.making import (
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
RIGHT = pytest.approx(PLACE, abs=1e-9)
BOUNDS = ",".join(f"{edge:.6f}" for edge in PLACE)
ABOVE = sorted({(ZOOM - 1, x // 2, y // 2) for _, x, y in ZXY})
WORLD = [-180.0, -85.0511287, 180.0, 85.0511287]


def write_pmtiles(path: Path, tiles: list[tuple[int, int, int]], header: list[float], metadata: Any) -> Path:
    """An archive whose header gives some bounds and its JSON document others."""
    names = ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7")
    edges = {name: round(edge * 1e7) for name, edge in zip(names, header, strict=True)}
    with path.open("wb") as file:
        writer = Writer(file)
        for seed, (z, x, y) in sorted(enumerate(tiles), key=lambda one: zxy_to_tileid(*one[1])):
            writer.write_tile(zxy_to_tileid(z, x, y), encoded(seed, 32))
        centre = {"center_zoom": ZOOM, "center_lon_e7": 0, "center_lat_e7": 0}
        kind = {"tile_type": TileType.PNG, "tile_compression": Compression.NONE}
        writer.finalize(kind | edges | centre, metadata)
    return path


@pytest.mark.parametrize("header", [WORLD, [0.0] * 4, [PLACE[0], -PLACE[3], PLACE[2], -PLACE[1]]])
@pytest.mark.parametrize("said", [{"bounds": BOUNDS}, {"json": json.dumps({"bounds": list(PLACE)})}])
def test_bounds_in_the_metadata_of_pmtiles_are_held_against_the_tiles(
    tmp_path: Path, header: list[float], said: dict[str, Any]
) -> None:
    turned = [(z, x, flipped(z, y)) for z, x, y in ZXY]
    path = write_pmtiles(tmp_path / "turned.pmtiles", turned, header, said)
    with pytest.raises(BadSource, match=r"the metadata says .* Give --scheme tms"):
        listed(path)
    assert bounds_of(path, scheme="tms") == RIGHT


def test_what_converters_leave_in_the_metadata_of_pmtiles_does_no_harm(tmp_path: Path) -> None:
    said = {"scheme": "tms", "bounds": BOUNDS, "tiles": ["{z}/{x}/{-y}"], "crs": "EPSG:3857"}
    assert bounds_of(write_pmtiles(tmp_path / "a.pmtiles", ZXY, list(PLACE), said)) == RIGHT


@pytest.mark.parametrize("zooms", [(15, 16), 15])
def test_a_zoom_of_mbtiles_that_counts_from_the_north_stops(tmp_path: Path, zooms: Any) -> None:
    rows = [(z, x, flipped(z, y)) for z, x, y in ZXY] + list(ABOVE)
    path = write_mbtiles(tmp_path / "mixed.mbtiles", rows, {"bounds": BOUNDS, "format": "png"})
    with pytest.raises(BadSource, match=r"metadata says .*--scheme xyz"):
        listed(path, zoom=zooms)
    assert bounds_of(path) == RIGHT
    assert names_of(path, zoom=15, scheme="xyz") == sorted(f"{z}/{x}/{y}" for z, x, y in ABOVE)


def test_zooms_of_a_folder_that_do_not_lie_above_one_another_stop_without_any_bounds(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "tiles", lambda z, x, y: f"{z}/{x}/{y}.png")
    write_folder(root, lambda z, x, y: f"{z}/{x}/{flipped(z, y)}.png", ABOVE)
    with pytest.raises(BadSource, match="no tile of zoom 15 lies over those of zoom 16"):
        listed(root, zoom=(15, 16))
    assert any("no tile of zoom 15" in note for note in listed(root, zoom=(15, 16), scheme="xyz").notes)


def test_all_zooms_turned_alike_are_settled_by_one_option(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "north.mbtiles", ZXY + ABOVE, {"bounds": BOUNDS, "format": "png"})
    with pytest.raises(BadSource, match="Give --scheme xyz if the place is right"):
        listed(path, zoom=(15, 16))
    assert listed(path, zoom=(15, 16), scheme="xyz").table.bounds.as_tuple() == pytest.approx(place_of(ZXY + ABOVE))


@pytest.mark.parametrize(("corner", "fault"), [("-20037508 20037508", ""), ("420000 350000", "starts at 420000")])
def test_a_wmts_grid_that_starts_elsewhere_stops(tmp_path: Path, corner: str, fault: str) -> None:
    root = write_folder(tmp_path / "tiles", lambda z, x, y: f"{z}/{x}/{y}.png")
    (root / "WMTSCapabilities.xml").write_text(
        "<Capabilities><TileMatrixSet><SupportedCRS>EPSG:3857</SupportedCRS><TileMatrix><Identifier>16</Identifier>"
        f"<ScaleDenominator>{559082264.0287178 / 2**16}</ScaleDenominator><TopLeftCorner>{corner}</TopLeftCorner>"
        "<TileWidth>256</TileWidth></TileMatrix></TileMatrixSet></Capabilities>"
    )
    if not fault:
        assert bounds_of(root) == RIGHT
        return
    with pytest.raises(BadSource, match=fault):
        listed(root)


@pytest.mark.parametrize(
    ("name", "scheme", "whose"),
    [
        (lambda z, x, y: f"L{z:02d}/R{y:08x}/C{x:08x}.png", "L{z}/R{y}/C{x}.png", "ArcGIS"),
        (lambda z, x, y: f"z{z + 1}/{x // 1024}/x{x}/{y // 1024}/y{y}.png", "z{z}/*/x{x}/*/y{y}.png", "SAS"),
    ],
    ids=["hexadecimal", "zooms from 1"],
)
def test_caches_whose_numbers_mean_something_else_are_refused_with_a_pattern_too(
    tmp_path: Path, name: Any, scheme: str, whose: str
) -> None:
    # All digits of these are decimal ones, so that a pattern would place them, at the other side of the world.
    root = write_folder(tmp_path / "cache", name, [(16, 0x8620, 0x5980), (16, 0x8621, 0x5980)])
    for asked in ("auto", scheme):
        with pytest.raises(BadSource, match=whose):
            listed(root, scheme=asked)


def test_a_geopackage_is_no_mbtiles_even_where_its_table_is_called_tiles(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "imagery.gpkg", list(ZXY))
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE gpkg_contents (table_name text, data_type text)")
    database.commit()
    database.close()
    with pytest.raises(BadSource, match="is a GeoPackage, whose rows count from the north"):
        listed(path)


def test_a_map_of_a_phone_is_named(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "map.sqlitedb")
    database.execute("CREATE TABLE tiles (x int, y int, z int, s int, image blob)")
    database.commit()
    database.close()
    with pytest.raises(BadSource, match="OsmAnd"):
        listed(tmp_path / "map.sqlitedb")


@pytest.mark.parametrize(
    ("name", "advice"),
    [("imagery.jp2", "gdal_translate"), ("tiles.zip", "unpack"), ("ground.shp", "GeoParquet"), ("a.xlsx", "as CSV")],
)
def test_a_file_of_another_kind_is_named_with_what_to_make_of_it(tmp_path: Path, name: str, advice: str) -> None:
    (tmp_path / name).write_bytes(b"\x01\x02\x03\x04")
    with pytest.raises(BadSource, match=advice):
        listed(tmp_path / name)


def test_a_single_picture_is_told_to_need_a_place(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="a single picture"):
        listed(write_tile(tmp_path / "tile.png"))


def test_a_folder_of_bundles_or_of_other_imagery_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache" / "L16").mkdir(parents=True)
    (tmp_path / "cache" / "L16" / "R5980C8600.bundle").write_bytes(b"\x03\x00\x00\x00")
    with pytest.raises(BadSource, match="compact cache of ArcGIS"):
        listed(tmp_path / "cache")
    (tmp_path / "scene").mkdir()
    (tmp_path / "scene" / "B04.jp2").write_bytes(b"\0")
    with pytest.raises(BadSource, match=r"B04\.jp2 in it is imagery"):
        listed(tmp_path / "scene")
