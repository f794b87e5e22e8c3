"""Lists and footprints in other words: hexadecimal, radians, 0 to 360, coverings, other languages."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.wkb import box_wkb
from model.common.errors import BadDataset
from model.data.manifest import read_manifest
from tests.inputs.making import bounds_of, listed, write_tile

PLACE = (8.5, 47.1, 8.51, 47.11)
EDGES = ("xmin", "ymin", "xmax", "ymax")
BOX = box_wkb(*(np.array([edge]) for edge in PLACE))[0]
TURNED = box_wkb(*(np.array([edge]) for edge in (47.1, 8.5, 47.11, 8.51)))[0]


def parquet(path: Path, geometry: list[Any], about: dict[str, Any] | None = None, **columns: Any) -> Path:
    table = pa.table({"path": [f"{row}.png" for row in range(len(geometry))], "geometry": geometry, **columns})
    if about is not None:
        said = {"version": "1.1.0", "primary_column": "geometry"}
        column = {"encoding": "WKB", "geometry_types": [], **about}
        table = table.replace_schema_metadata({"geo": json.dumps({**said, "columns": {"geometry": column}})})
    pq.write_table(table, path)
    return path


def csv(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("about", [None, {}], ids=["no description", "GeoParquet"])
def test_hexadecimal_wkb_is_read_as_databases_print_it(tmp_path: Path, about: dict[str, Any] | None) -> None:
    path = parquet(tmp_path / "a.parquet", [BOX.hex(), BOX.hex().upper()], about)
    assert bounds_of(path) == pytest.approx(PLACE)


def test_other_text_is_refused_with_its_beginning(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", [BOX.hex(), "POLYGON((8.5 47.1, 8.51 47.1))"])
    with pytest.raises(BadSource, match=r"row 2 of .* text, but not WKB in hexadecimal: it starts with 'POLYGON"):
        listed(path)


@pytest.mark.parametrize(("kind", "name"), [(10, "CurvePolygon"), (7, "GeometryCollection"), (1002, "LineString")])
def test_a_geometry_of_another_type_is_called_by_its_name(tmp_path: Path, kind: int, name: str) -> None:
    with pytest.raises(BadSource, match=f"row 1 of .* is a {name}; give a point, polygon"):
        listed(parquet(tmp_path / "a.parquet", [struct.pack("<BII", 1, kind, 0)]))


COVERING = {"covering": {"bbox": {edge: ["bbox", edge] for edge in EDGES}}}


def covered(path: Path, geometry: list[bytes], kind: pa.DataType) -> Path:
    box = dict(zip(EDGES, PLACE, strict=True))
    boxes = pa.array([box] * len(geometry), pa.struct([(edge, kind) for edge in box]))
    return parquet(path, geometry, COVERING, bbox=boxes)


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_geometries_that_lie_elsewhere_than_their_covering_stop(tmp_path: Path, kind: pa.DataType) -> None:
    assert bounds_of(covered(tmp_path / "right.parquet", [BOX], kind)) == pytest.approx(PLACE)
    with pytest.raises(BadSource, match=r"row 2 of .* lies in 47\.1, 8\.5, .* covering column says 8\.5, 47\.1"):
        listed(covered(tmp_path / "turned.parquet", [BOX, TURNED], kind))


def test_a_covering_that_cannot_be_read_decides_nothing(tmp_path: Path) -> None:
    assert bounds_of(parquet(tmp_path / "a.parquet", [BOX], COVERING)) == pytest.approx(PLACE)


def test_places_in_radians_are_a_warning(tmp_path: Path) -> None:
    rows = "path,lat,lon\na.png,0.822050,0.148353\nb.png,-0.591,2.639\n"
    (note,) = (one for one in listed(csv(tmp_path / "a.csv", rows), tile_size_m=50.0).notes if "warning" in one)
    assert "are these radians?" in note
    rows += "c.png,47.1,8.5\n"
    assert "radians" not in " ".join(listed(csv(tmp_path / "b.csv", rows), tile_size_m=50.0).notes)


def test_longitudes_from_0_to_360_are_told_from_exchanged_ones(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"row 1 of .* has lon 351\.5; longitudes count from -180 to 180"):
        listed(csv(tmp_path / "a.csv", "path,lat,lon\na.png,47.1,351.5\n"), tile_size_m=50.0)
    with pytest.raises(BadSource, match="are latitude and longitude swapped"):
        listed(csv(tmp_path / "a.csv", "path,lat,lon\na.png,147.1,8.5\n"), tile_size_m=50.0)


def test_truth_values_are_no_degrees(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["a.png"], "lat": [True], "lon": [True]}), tmp_path / "a.parquet")
    with pytest.raises(BadSource, match=r"column lat of .* is made of truth values"):
        listed(tmp_path / "a.parquet", tile_size_m=50.0)


def test_columns_in_another_language_are_named_whatever_separates_them(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"no column 'path'; its columns are Pfad, Breite, L.nge"):
        listed(csv(tmp_path / "a.csv", "Pfad;Breite;Länge\na.png;47,1;8,5\n"), tile_size_m=50.0)


def test_geojson_of_footprints_is_told_from_stac(tmp_path: Path) -> None:
    feature = {"type": "Feature", "properties": {"path": "a.png"}, "geometry": None}
    path = csv(tmp_path / "a.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(BadSource, match="GeoJSON without assets, so no list of STAC items; footprints"):
        listed(path)


def test_a_pair_whose_photo_and_tile_lie_far_apart_is_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_tile(tmp_path / name)
    head = "query,reference,lat,lon,reference_lat,reference_lon\n"
    pairs = read_manifest(csv(tmp_path / "near.csv", f"{head}a.png,b.png,47.1,8.5,47.11,8.5\n"))
    assert pairs.queries[0].location is not None
    with pytest.raises(BadDataset, match=r"row 2: a\.png and b\.png are 5,6\d\d km apart"):
        read_manifest(csv(tmp_path / "far.csv", f"{head}a.png,b.png,8.5,47.1,47.1,8.5\n"))
