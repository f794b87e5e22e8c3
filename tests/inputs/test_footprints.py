"""Footprints of lists: the antimeridian, GeoParquet in all its forms, and boxes that make no sense."""

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from indexer.common.errors import BadSource
from indexer.index.geoparquet import read_tiles, write_tiles
from indexer.tiles.wkb import box_wkb
from model.common.errors import BadCoordinates
from model.common.geo import LatLon, great_circle_m, parse_bounds
from tests.indexer.tiny import table_of_boxes
from tests.inputs.making import listed

Ring = list[tuple[float, float]]


def ring(west: float, south: float, east: float, north: float) -> Ring:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def polygon(*rings: Ring) -> bytes:
    body = b"".join(struct.pack("<I", len(one)) + np.array(one, "<f8").tobytes() for one in rings)
    return struct.pack("<BII", 1, 3, len(rings)) + body


def multipolygon(*polygons: bytes) -> bytes:
    return struct.pack("<BII", 1, 6, len(polygons)) + b"".join(polygons)


def point(lon: float, lat: float) -> bytes:
    return struct.pack("<BIdd", 1, 1, lon, lat)


def write_list(
    path: Path, columns: dict[str, object], about: dict[str, dict[str, object]] | None = None, primary: str = "geometry"
) -> Path:
    """GeoParquet of pictures 0.png, 1.png, ..."""
    described = about or {primary: {"encoding": "WKB", "geometry_types": []}}
    geo = {"version": "1.1.0", "primary_column": primary, "columns": described}
    count = len(next(iter(columns.values())))  # type: ignore[arg-type]
    table = pa.table({"path": [f"{number}.png" for number in range(count)], **columns})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def boxes_of(path: Path, **options: object) -> list[tuple[float, float, float, float]]:
    table = listed(path, **options).table
    return [table.record(row).bounds.as_tuple() for row in range(len(table))]


ACROSS = (179.999, -17.01, -179.992, -17.0)


@pytest.mark.parametrize(
    "shape",
    [
        multipolygon(polygon(ring(179.999, -17.01, 180.0, -17.0)), polygon(ring(-180.0, -17.01, -179.992, -17.0))),
        multipolygon(polygon(ring(-180.0, -17.01, -179.992, -17.0)), polygon(ring(179.999, -17.01, 180.0, -17.0))),
        polygon(ring(179.999, -17.01, 180.008, -17.0)),
        polygon(ring(-180.001, -17.01, -179.992, -17.0)),
        polygon(ring(179.999, -17.01, -179.992, -17.0)),
    ],
    ids=["cut", "cut, east first", "beyond 180", "beyond -180", "uncut"],
)
def test_a_footprint_over_the_antimeridian_is_narrow_however_it_is_written(tmp_path: Path, shape: bytes) -> None:
    table = listed(write_list(tmp_path / "a.parquet", {"geometry": [shape]})).table
    assert table.record(0).bounds.as_tuple() == pytest.approx(ACROSS, abs=1e-9)
    assert table.lon[0] == pytest.approx(-179.9965, abs=1e-9)
    assert table.lat[0] == pytest.approx(-17.005, abs=1e-9)


def test_what_the_product_writes_itself_is_read_back_over_the_antimeridian(tmp_path: Path) -> None:
    shapes = box_wkb(*(np.array([edge]) for edge in ACROSS))
    assert boxes_of(write_list(tmp_path / "a.parquet", {"geometry": shapes})) == [pytest.approx(ACROSS)]


def test_two_distant_parts_are_not_taken_for_a_crossing(tmp_path: Path) -> None:
    far = multipolygon(polygon(ring(8.0, 47.0, 8.001, 47.001)), polygon(ring(8.3, 47.0, 8.301, 47.001)))
    path = write_list(tmp_path / "a.parquet", {"geometry": [far]})
    assert boxes_of(path) == [(8.0, 47.0, 8.301, 47.001)]
    assert "1 row has a shape of several parts that lie apart (row 1" in " ".join(listed(path).notes)


def test_parts_of_one_tile_and_its_holes_are_no_warning(tmp_path: Path) -> None:
    beside = multipolygon(polygon(ring(8.0, 47.0, 8.001, 47.001)), polygon(ring(8.001, 47.0, 8.002, 47.001)))
    across = multipolygon(polygon(ring(179.999, 47.0, 180.0, 47.001)), polygon(ring(-180.0, 47.0, -179.999, 47.001)))
    holed = polygon(ring(8.0, 47.0, 8.001, 47.001), ring(8.0004, 47.0004, 8.0005, 47.0005))
    path = write_list(tmp_path / "a.parquet", {"geometry": [beside, across, holed]})
    assert "lie apart" not in " ".join(listed(path).notes)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (
            "8.51,47.0,8.50,47.01",
            r"row 2 of .*west 8\.51 and east 8\.5: .*359\.99 degrees wide; are west and east exch",
        ),
        ("8.5,47.01,8.51,47.0", "row 2 of .* south 47.01 above north 47.0"),
        ("-170,47.0,170,47.01", "row 2 of .*footprint of 25"),
        ("-179.99,-17.01,179.999,-17", r"row 2 of .*footprint of .*west and east not exchanged"),
        ("8.5,30,8.6,60", "row 2 of .*footprint of"),
        ("8.5,47.0,8.5,47.01", "row 2 of .*footprint of 0.0 x 1,112"),
        ("8.5,47.0,8.5,47.0", r"points, not footprints \(row 2\).*--tile-size-m"),
        ("8.5,47.0,190,47.01", "row 2 of .* east 190.0; longitudes count from -180 to 180"),
    ],
    ids=[
        "exchanged",
        "upside down",
        "around the world",
        "exchanged over 180",
        "too long",
        "a line",
        "a point",
        "beyond",
    ],
)
def test_edges_that_make_no_sense_are_refused_with_their_row(tmp_path: Path, edges: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(f"path,west,south,east,north\na.png,8.4,47.0,8.41,47.01\nb.png,{edges}\n")
    with pytest.raises(BadSource, match=message):
        listed(tmp_path / "a.csv")


def test_edges_over_the_antimeridian_are_right(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,west,south,east,north\na.png,179.999,-17.01,-179.99,-17\n")
    table = listed(tmp_path / "a.csv").table
    assert table.lon[0] == pytest.approx(-179.9955)


@pytest.mark.parametrize(("written", "read"), [("180,-179.99", (-180.0, -179.99)), ("179.99,-180", (179.99, 180.0))])
def test_edges_that_only_touch_the_antimeridian_do_not_cross_it(
    tmp_path: Path, written: str, read: tuple[float, float]
) -> None:
    west, east = written.split(",")
    (tmp_path / "a.csv").write_text(f"path,west,south,east,north\na.png,{west},-17.01,{east},-17\n")
    shapes = [polygon(ring(float(west), -17.01, float(east), -17.0))]
    for path in (tmp_path / "a.csv", write_list(tmp_path / "a.parquet", {"geometry": shapes})):
        assert boxes_of(path) == [(read[0], -17.01, read[1], -17.0)]


def test_a_box_to_search_in_with_exchanged_edges_is_refused_too() -> None:
    assert parse_bounds("179,-18,-179,-16").crosses_antimeridian
    with pytest.raises(BadCoordinates, match=r"359\.80 degrees wide; are west and east exchanged"):
        parse_bounds("8.6,47.0,8.4,47.2")


def test_the_primary_column_holds_the_footprint_whatever_the_others_are_called(tmp_path: Path) -> None:
    path = write_list(
        tmp_path / "a.parquet",
        {"geometry": [point(8.5, 47.5)], "footprint": [polygon(ring(8.0, 47.0, 8.01, 47.01))]},
        {"geometry": {"encoding": "WKB"}, "footprint": {"encoding": "WKB"}},
        "footprint",
    )
    assert boxes_of(path, tile_size_m=100.0) == [(8.0, 47.0, 8.01, 47.01)]
    assert (
        "every row has a footprint of its own, so --tile-size-m 100 is not used"
        in listed(path, tile_size_m=100.0).notes
    )


def test_the_reference_system_is_that_of_the_primary_column(tmp_path: Path) -> None:
    swiss = {"encoding": "WKB", "crs": {"id": {"authority": "EPSG", "code": 2056}}}
    columns = {"geometry": [point(8.5, 47.5)], "footprint": [polygon(ring(8.0, 47.0, 8.01, 47.01))]}
    path = write_list(
        tmp_path / "a.parquet", columns, {"geometry": swiss, "footprint": {"encoding": "WKB"}}, "footprint"
    )
    assert boxes_of(path) == [(8.0, 47.0, 8.01, 47.01)]
    path = write_list(
        tmp_path / "b.parquet", columns, {"footprint": swiss, "geometry": {"encoding": "WKB"}}, "footprint"
    )
    with pytest.raises(BadSource, match="reference system EPSG:2056"):
        listed(path)


def test_a_primary_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = write_list(tmp_path / "a.parquet", {"geometry": [point(8.5, 47.5)]}, {"area": {"encoding": "WKB"}}, "area")
    with pytest.raises(BadSource, match="primary_column is 'area'; its columns are path, geometry"):
        listed(path)


def test_points_among_polygons_become_squares(tmp_path: Path) -> None:
    shapes = [polygon(ring(8.0, 47.0, 8.001, 47.001)), point(8.0025, 47.0005)]
    path = write_list(tmp_path / "a.parquet", {"geometry": shapes})
    whole, drawn = boxes_of(path, tile_size_m=100.0)
    assert not any("is not used" in note for note in listed(path, tile_size_m=100.0).notes)
    assert whole == (8.0, 47.0, 8.001, 47.001)
    west, south, east, north = drawn
    assert great_circle_m(LatLon(47.0005, west), LatLon(47.0005, east)) == pytest.approx(100.0, abs=0.01)
    assert great_circle_m(LatLon(south, 8.0), LatLon(north, 8.0)) == pytest.approx(100.0, abs=0.01)
    with pytest.raises(BadSource, match=r"points, not footprints \(row 2\)"):
        listed(path)


_XY = pa.struct([("x", pa.float64()), ("y", pa.float64())])
_RING = ring(8.0, 47.0, 8.01, 47.01)


@pytest.mark.parametrize(
    ("encoding", "value", "kind"),
    [
        ("polygon", [[{"x": x, "y": y} for x, y in _RING]], pa.list_(pa.list_(_XY))),
        ("polygon", [[list(xy) for xy in _RING]], pa.list_(pa.list_(pa.list_(pa.float64(), 2)))),
        ("multipolygon", [[[{"x": x, "y": y} for x, y in _RING]]], pa.list_(pa.list_(pa.list_(_XY)))),
    ],
    ids=["polygon", "interleaved", "multipolygon"],
)
def test_native_encodings_are_read(tmp_path: Path, encoding: str, value: object, kind: pa.DataType) -> None:
    about = {"geometry": {"encoding": encoding}}
    path = write_list(tmp_path / "a.parquet", {"geometry": pa.array([value], kind)}, about)
    assert boxes_of(path) == [(8.0, 47.0, 8.01, 47.01)]


def test_native_points_are_read(tmp_path: Path) -> None:
    column = pa.array([{"x": 8.0, "y": 47.0}], _XY)
    path = write_list(tmp_path / "a.parquet", {"geometry": column}, {"geometry": {"encoding": "point"}})
    table = listed(path, tile_size_m=50.0).table
    assert (table.lon[0], table.lat[0]) == pytest.approx((8.0, 47.0))


@pytest.mark.parametrize(
    ("encoding", "column"),
    [
        ("linestring", pa.array([[{"x": 8.0, "y": 47.0}]], pa.list_(_XY))),
        ("WKT", pa.array(["POINT (8 47)"])),
        ("polygon", pa.array([point(8.0, 47.0)])),
    ],
    ids=["lines", "text", "binary as native"],
)
def test_other_encodings_are_refused_in_a_line_that_names_them(tmp_path: Path, encoding: str, column: pa.Array) -> None:
    path = write_list(tmp_path / "a.parquet", {"geometry": column}, {"geometry": {"encoding": encoding}})
    with pytest.raises(BadSource, match=f"column geometry of .* is encoded as '{encoding}'"):
        listed(path, tile_size_m=50.0)


def _geographic(**parts: object) -> dict[str, object]:
    return {"type": "GeographicCRS", "name": "WGS 84", **parts}


@pytest.mark.parametrize(
    ("crs", "fault"),
    [
        ({"id": {"authority": "OGC", "code": "CRS84"}}, ""),
        ({"id": {"authority": "EPSG", "code": 4326}}, ""),
        ({"type": "GeographicCRS", "name": "WGS 84 (CRS84)"}, ""),
        ("EPSG:4326", ""),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", ""),
        ('GEOGCS["WGS 84",DATUM["WGS_1984"]]', ""),
        (None, "unknown"),
        ("EPSG:3857", "EPSG:3857"),
        ({"id": {"authority": "ESRI", "code": 102100}}, "ESRI:102100"),
        ({"type": "ProjectedCRS", "name": "CH1903+ / LV95"}, "CH1903"),
        ('PROJCS["WGS 84 / UTM zone 32N"]', "PROJCS"),
        ('GEOGCS["WGS 84",DATUM["WGS_1984"],PRIMEM["Greenwich",0.0]]', ""),
        ('GEOGCS["WGS 84",DATUM["WGS_1984"],PRIMEM["Paris",2.33722917]]', "WGS 84 counted from the meridian of Paris"),
        (_geographic(datum={"prime_meridian": {"name": "Greenwich", "longitude": 0}}), ""),
        (_geographic(datum={"prime_meridian": {"name": "Ferro", "longitude": -17.67}}), "WGS 84 counted from .* Ferro"),
        (_geographic(coordinate_system={"axis": [{"unit": "degree"}, {"unit": "degree"}]}), ""),
        (_geographic(coordinate_system={"axis": [{"unit": {"name": "grad"}}]}), "WGS 84 in grad"),
    ],
)
def test_the_reference_system_is_read_however_it_is_written(tmp_path: Path, crs: object, fault: str) -> None:
    shape = polygon(ring(8.0, 47.0, 8.01, 47.01))
    path = write_list(tmp_path / "a.parquet", {"geometry": [shape]}, {"geometry": {"encoding": "WKB", "crs": crs}})
    if fault:
        with pytest.raises(BadSource, match=f"reference system {fault}"):
            listed(path)
    else:
        assert boxes_of(path) == [(8.0, 47.0, 8.01, 47.01)]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "row 2 of .* has no geometry"),
        (struct.pack("<BIdd", 1, 1, float("nan"), float("nan")), "row 2 of .*beyond the range of degrees"),
        (polygon(), "row 2 of .*a geometry is empty"),
        (polygon(ring(500_000.0, 5_200_000.0, 500_100.0, 5_200_100.0)), "row 2 of .*not WGS 84 degrees"),
        (polygon(ring(190.0, 47.0, 190.1, 47.1)), "row 2 of .*beyond the range"),
        (struct.pack("<BII", 1, 6, 1) * 5_000, "row 2 of .*no well-known binary"),
        (struct.pack("<BII", 1, 3, 1 << 31), "row 2 of .*no well-known binary"),
    ],
    ids=["null", "empty point", "empty", "metres", "0 to 360", "nested", "claims two billion rings"],
)
def test_a_bad_geometry_is_refused_with_its_row(tmp_path: Path, shape: bytes | None, message: str) -> None:
    good = polygon(ring(8.0, 47.0, 8.01, 47.01))
    column = pa.array([good, shape], pa.binary())
    with pytest.raises(BadSource, match=message):
        listed(write_list(tmp_path / "a.parquet", {"geometry": column}), tile_size_m=50.0)


def test_a_footprint_says_more_than_a_label_point(tmp_path: Path) -> None:
    columns = {"geometry": [polygon(ring(8.0, 47.0, 8.01, 47.01))], "lat": [47.4], "lon": [8.4]}
    assert boxes_of(write_list(tmp_path / "a.parquet", columns), tile_size_m=50.0) == [(8.0, 47.0, 8.01, 47.01)]


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    (tmp_path / "lat=3").mkdir()
    path = write_list(tmp_path / "lat=3" / "a.parquet", {"geometry": [polygon(ring(8.0, 47.0, 8.01, 47.01))]})
    assert boxes_of(path) == [(8.0, 47.0, 8.01, 47.01)]


def test_the_table_of_an_index_can_be_filtered_by_its_covering(tmp_path: Path) -> None:
    table = table_of_boxes([8.0, 9.0, 179.99], [47.0] * 3, [8.1, 9.1, -179.99], [47.1] * 3)
    write_tiles(tmp_path / "tiles.parquet", table)
    geo = json.loads(pq.read_schema(tmp_path / "tiles.parquet").metadata[b"geo"])
    covering = geo["columns"][geo["primary_column"]]["covering"]["bbox"]
    wanted = {"xmin": 179.0, "ymin": 40.0, "xmax": 180.0, "ymax": 50.0}  # a reader's window on the crossing tile

    def column(edge: str) -> pc.Expression:
        return pc.field(*covering[edge])

    window = (column("xmin") <= wanted["xmax"]) & (column("xmax") >= wanted["xmin"])
    found = pq.read_table(tmp_path / "tiles.parquet", filters=window & (column("ymax") >= wanted["ymin"]))
    assert found["tile_id"].to_pylist() == ["tile-2"]
    assert read_tiles(tmp_path / "tiles.parquet").west.tolist() == [8.0, 9.0, 179.99]


def test_an_index_table_without_the_covering_still_opens(tmp_path: Path) -> None:
    write_tiles(tmp_path / "new.parquet", table_of_boxes([8.0], [47.0], [8.1], [47.1]))
    old = pq.ParquetFile(tmp_path / "new.parquet").read().drop_columns(["bbox"])
    pq.write_table(old, tmp_path / "old.parquet")
    assert read_tiles(tmp_path / "old.parquet").east.tolist() == [8.1]


@pytest.mark.parametrize("bbox", [[8.0, 47.0, 9.0, 48.0], [8.0, 47.0, 0.0, 9.0, 48.0, 900.0]])
def test_geometries_that_all_lie_elsewhere_than_the_file_says_are_refused(tmp_path: Path, bbox: list[float]) -> None:
    about = {"geometry": {"encoding": "WKB", "geometry_types": [], "bbox": bbox}}
    right, turned = polygon(ring(8.5, 47.1, 8.51, 47.11)), polygon(ring(47.1, 8.5, 47.11, 8.51))
    with pytest.raises(BadSource, match=r"no row does; row 1 lies in 47.1, 8.5, .*latitude and longitude swapped"):
        boxes_of(write_list(tmp_path / "a.parquet", {"geometry": [turned]}, about))
    assert len(boxes_of(write_list(tmp_path / "b.parquet", {"geometry": [turned, right]}, about))) == 2
    about["geometry"]["bbox"] = [179.99, -18.0, -179.99, -16.0]
    across = polygon(ring(179.999, -17.01, 180.008, -17.0))
    assert boxes_of(write_list(tmp_path / "c.parquet", {"geometry": [across]}, about)) == [pytest.approx(ACROSS)]


def test_a_row_without_a_place_and_a_point_outside_of_its_footprint_are_warnings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("path,lat,lon\na.png,47.1,8.5\nb.png,0,0\n")
    assert [note[:65] for note in listed(path, tile_size_m=50.0).notes[1:]] == [
        "warning: 1 row lies at latitude 0, longitude 0 (row 2 the first),"
    ]
    path.write_text("path,lat,lon\na.png,0,0\n")  # buoy 13010 of the Atlantic lies there, with nothing to doubt
    assert len(listed(path, tile_size_m=50.0).notes) == 1
    rows = ["47.105,8.505,8.5,47.1,8.51,47.11", "20,20,8.6,47.1,8.61,47.11", "-17,-179.999,179.99,-17.1,-179.99,-16.9"]
    path.write_text("path,lat,lon,west,south,east,north\n" + "".join(f"{i}.png,{row}\n" for i, row in enumerate(rows)))
    assert listed(path).notes[1:] == [
        "warning: 1 row has lat and lon outside of the footprint (row 2 the first); the footprint is used"
    ]
