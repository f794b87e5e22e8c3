import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.tile_list import ManifestSource
from indexer.tiles.wkb import box_wkb
from model.common.geo import LatLon, great_circle_m
from tests.indexer.tiny import encoded


def source_of(path: Path, text: str, **options: object) -> ManifestSource:
    path.write_text(text)
    return ManifestSource(path, SourceOptions(**options))  # type: ignore[arg-type]


def test_bounds_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(3))
    source = source_of(tmp_path / "list.csv", "path,west,south,east,north\na.png,8,47,8.1,47.1\n")
    tile = source.list_tiles().table.record(0)
    assert (tile.tile_id, tile.source, tile.z) == ("a.png", "a.png", None)
    assert tile.bounds.as_tuple() == (8.0, 47.0, 8.1, 47.1)
    assert source.read(tile) == encoded(3)


def test_points_become_squares_of_the_side_given(tmp_path: Path) -> None:
    source = source_of(tmp_path / "list.csv", "path,lat,lon,tile_id\na.png,47,179.9999,here\n", tile_size_m=73.0)
    tile = source.list_tiles().table.record(0)
    west, south, east, north = tile.bounds.as_tuple()
    assert tile.tile_id == "here"
    assert (tile.lat, tile.lon) == pytest.approx((47.0, 179.9999))
    assert west > east
    assert great_circle_m(LatLon(47.0, west), LatLon(47.0, east)) == pytest.approx(73.0, abs=1e-3)
    assert great_circle_m(LatLon(south, 8.0), LatLon(north, 8.0)) == pytest.approx(73.0, abs=1e-3)


def test_points_without_a_side_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="--tile-size-m"):
        source_of(tmp_path / "list.csv", "path,lat,lon\na.png,47,8\n").list_tiles()


def geoparquet(path: Path, shapes: list[bytes], crs: object = "absent") -> ManifestSource:
    column = {"encoding": "WKB"} | ({} if crs == "absent" else {"crs": crs})
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    names = [f"{number}.png" for number in range(len(shapes))]
    table = pa.table({"path": names, "geometry": shapes}).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, path)
    return ManifestSource(path, SourceOptions(tile_size_m=50.0))


def test_geoparquet_polygons_and_points_are_read(tmp_path: Path) -> None:
    edges = list(np.array([[8.0, 47.0, 8.1, 47.1]]).T)
    polygon = geoparquet(tmp_path / "a", box_wkb(*edges)).list_tiles().table
    assert polygon.record(0).bounds.as_tuple() == (8.0, 47.0, 8.1, 47.1)
    point = geoparquet(tmp_path / "b", [struct.pack("<BIdd", 1, 1, 8.0, 47.0)]).list_tiles().table
    assert (point.record(0).lat, point.record(0).lon) == pytest.approx((47.0, 8.0))


def test_geoparquet_of_another_reference_system_is_refused(tmp_path: Path) -> None:
    shape = struct.pack("<BIdd", 1, 1, 8.0, 47.0)
    with pytest.raises(BadSource, match="reference system EPSG:2056"):
        geoparquet(tmp_path / "a", [shape], crs={"id": {"authority": "EPSG", "code": 2056}}).list_tiles()


def test_files_that_do_not_exist_are_said_and_fail_when_read(tmp_path: Path) -> None:
    source = source_of(tmp_path / "list.csv", "path,lat,lon\nnone.png,47,8\n", tile_size_m=50.0)
    listing = source.list_tiles()
    assert "1 of the listed files does not exist" in listing.notes[0]
    with pytest.raises(FileNotFoundError):
        source.read(listing.table.record(0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,lat,lon\na.png,47,8\n", "no column 'path'"),
        ("path,x,y\na.png,47,8\n", "places no tile"),
        ("path,lat,lon\n", "lists no tile"),
        ("path,lat,lon\na.png,122.3,47.6\n", "row 1 .* lat 122.3.*swapped"),
        ("path,lat,lon\na.png,47,8\n,47,8\n", "row 2 .* has no path"),
        ("path,lat,lon\na.png,,8\n", "row 1 .* has no lat"),
        ("path,lat,lon\na.png,47 30 12 N,8\n", "not made of numbers"),
        ("path,west,south,east,north\na.png,8,48,9,47\n", "south 48.0 above north 47.0"),
        ("path,lat,lon\na.png,47\n", "cannot be read as CSV"),
        ("", "cannot be read as CSV"),
    ],
)
def test_lists_that_make_no_sense_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadSource, match=message):
        source_of(tmp_path / "list.csv", text, tile_size_m=50.0).list_tiles()
