"""Which column of a GeoParquet holds footprints, and what each row covers, in every encoding that is read."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.geometries import geometry_column, geometry_extents
from indexer.tiles.wkb import box_wkb

PATH = Path("tiles.parquet")
BOXES = [(8.0, 47.0, 9.0, 48.0), (179.0, 0.0, -179.0, 1.0)]


def table(column, name="geometry", **about):
    made = pa.table({"path": [f"{number}.png" for number in range(len(column))], name: column})
    if not about:
        return made
    described = {"primary_column": name, "columns": {name: about}}
    return made.replace_schema_metadata({"geo": json.dumps(described)})


def wkb(boxes=BOXES):
    return pa.array(box_wkb(*(np.array(edge) for edge in zip(*boxes, strict=True))), pa.binary())


def test_the_described_column_counts_and_else_the_one_named_geometry():
    assert geometry_column(table(wkb(), "outline", encoding="WKB"), PATH) == "outline"
    assert geometry_column(table(wkb()), PATH) == "geometry"
    assert geometry_column(table(wkb(), "outline"), PATH) is None


def test_a_description_of_a_column_that_is_not_there_is_refused():
    described = table(wkb(), "outline", encoding="WKB")
    described = table(wkb(), "shape").replace_schema_metadata(described.schema.metadata)
    with pytest.raises(BadSource, match="its primary_column is 'outline'; its columns are path, shape"):
        geometry_column(described, PATH)


def test_a_damaged_description_is_refused():
    for text, reason in (("{", "damaged `geo`"), ("[]", "is a list")):
        with pytest.raises(BadSource, match=reason):
            geometry_column(table(wkb()).replace_schema_metadata({"geo": text}), PATH)


def test_boxes_are_read_across_the_antimeridian_too():
    assert geometry_extents(table(wkb(), encoding="WKB"), "geometry", PATH).tolist() == [list(box) for box in BOXES]
    assert geometry_extents(table(wkb()), "geometry", PATH).tolist() == [list(box) for box in BOXES]


def test_native_points_and_polygons_are_read():
    corners = [(8.0, 47.0), (9.0, 47.0), (9.0, 48.0), (8.0, 47.0)]
    structs = pa.array([[[{"x": x, "y": y} for x, y in corners]]])
    assert geometry_extents(table(structs, encoding="polygon"), "geometry", PATH).tolist() == [[8, 47, 9, 48]]
    pairs = pa.array([[8.5, 47.5]], pa.list_(pa.float64(), 2))
    assert geometry_extents(table(pairs, encoding="point"), "geometry", PATH).tolist() == [[8.5, 47.5, 8.5, 47.5]]


def test_an_encoding_that_the_values_do_not_have_is_refused():
    with pytest.raises(BadSource, match=r"encoded as 'polygon' \(binary\).*write it as WKB"):
        geometry_extents(table(wkb(), encoding="polygon"), "geometry", PATH)


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:4326",
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        {"id": {"authority": "EPSG", "code": 4326}},
        {"type": "GeographicCRS", "name": "WGS 84"},
        'GEOGCS["WGS 84",DATUM["WGS_1984"]]',
    ],
)
def test_degrees_of_wgs_84_have_many_names(crs):
    assert len(geometry_extents(table(wkb(), encoding="WKB", crs=crs), "geometry", PATH)) == 2


@pytest.mark.parametrize("crs", ["EPSG:2056", {"id": {"authority": "EPSG", "code": 2056}}])
def test_another_reference_system_is_refused_by_name(crs):
    with pytest.raises(BadSource, match="reference system EPSG:2056; transform them to EPSG:4326"):
        geometry_extents(table(wkb(), encoding="WKB", crs=crs), "geometry", PATH)


@pytest.mark.parametrize(("value", "reason"), [(None, "has no geometry"), (b"\x01\x03", "row 3 of tiles.parquet")])
def test_a_row_without_a_geometry_is_named(value, reason):
    column = pa.array([*wkb().to_pylist(), value], pa.binary())
    with pytest.raises(BadSource, match=reason):
        geometry_extents(table(column), "geometry", PATH)
