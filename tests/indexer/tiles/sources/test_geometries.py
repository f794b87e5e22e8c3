import json
import struct
from pathlib import Path

import pyarrow as pa
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.geometries import geometry_column, geometry_extents

LIST = Path("tiles.parquet")


def polygon(west, south, east, north) -> bytes:
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return struct.pack("<BIII", 1, 3, 1, len(ring)) + b"".join(struct.pack("<dd", *point) for point in ring)


def table(values, kind=None, name="geometry", **about):
    column = pa.array(values, kind or pa.binary())
    described = {"primary_column": name, "columns": {name: {"encoding": "WKB", **about}}}
    return pa.table({name: column}).replace_schema_metadata({"geo": json.dumps(described)})


def test_wkb_polygons_have_extents():
    found = geometry_extents(table([polygon(8, 47, 9, 48), polygon(-1, -2, 1, 2)]), "geometry", LIST)
    assert found.tolist() == [[8.0, 47.0, 9.0, 48.0], [-1.0, -2.0, 1.0, 2.0]]


def test_native_points_are_read_like_those_of_wkb():
    points = table([{"x": 8.0, "y": 47.0}], pa.struct({"x": pa.float64(), "y": pa.float64()}), encoding="point")
    assert geometry_extents(points, "geometry", LIST).tolist() == [[8.0, 47.0, 8.0, 47.0]]


def test_the_column_is_the_one_that_the_file_names():
    assert geometry_column(table([b""], name="footprint"), LIST) == "footprint"
    assert geometry_column(pa.table({"geometry": [b""]}), LIST) == "geometry"
    assert geometry_column(pa.table({"path": ["a"]}), LIST) is None
    with pytest.raises(BadSource, match="primary_column is 'footprint'; its columns are other"):
        geometry_column(
            pa.table({"other": [b""]}).replace_schema_metadata(table([b""], name="footprint").schema.metadata), LIST
        )


@pytest.mark.parametrize(
    "crs", ["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", {"id": {"authority": "OGC", "code": "CRS84"}}]
)
def test_degrees_on_wgs_84_by_any_name(crs):
    assert len(geometry_extents(table([polygon(8, 47, 9, 48)], crs=crs), "geometry", LIST)) == 1


@pytest.mark.parametrize(
    ("built", "reason"),
    [
        (table([polygon(8, 47, 9, 48)], crs="EPSG:2056"), "reference system EPSG:2056; transform them to EPSG:4326"),
        (table([polygon(8, 47, 9, 48)], crs=None), "reference system unknown"),
        (table([polygon(8, 47, 9, 48), None]), "row 2 of tiles.parquet has no geometry"),
        (table([b"\x01"]), "row 1 of tiles.parquet"),
        (table(["POINT (8 47)"], pa.string()), "write it as WKB"),
    ],
)
def test_other_geometries_are_refused(built, reason):
    with pytest.raises(BadSource, match=reason):
        geometry_extents(built, "geometry", LIST)
