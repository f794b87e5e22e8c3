"""Polygons and tracks from GeoJSON: which tiles they touch."""

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadQuery
from indexer.tiles.areas import read_area, read_track
from indexer.tiles.region import CircleRegion
from model.common.geo import EARTH_RADIUS_M, LatLon

METRE = float(np.degrees(1 / EARTH_RADIUS_M))


def write(path: Path, *geometries: dict[str, object], kind: str = "FeatureCollection") -> Path:
    features = [{"type": "Feature", "properties": {}, "geometry": one} for one in geometries]
    path.write_text(json.dumps(features[0] if kind == "Feature" else {"type": kind, "features": features}))
    return path


def polygon(*points: tuple[float, float]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[*points, points[0]]]}


def line(*points: tuple[float, float]) -> dict[str, object]:
    return {"type": "LineString", "coordinates": list(points)}


def boxes(*edges: tuple[float, float, float, float]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(edge) for edge in zip(*edges, strict=True))


def test_a_triangle_holds_what_its_box_would_not_tell(tmp_path: Path) -> None:
    area = read_area(write(tmp_path / "a.json", polygon((8, 47), (9, 47), (8, 48))))
    found = area.mask(*boxes((8.1, 47.1, 8.2, 47.2), (8.9, 47.9, 8.95, 47.95), (9.0, 46.9, 9.1, 47.0), (3, 3, 4, 4)))
    assert found.tolist() == [True, False, True, False]


def test_several_polygons_and_holes(tmp_path: Path) -> None:
    outer, hole = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], [[2, 2], [2, 8], [8, 8], [8, 2], [2, 2]]
    ring = {"type": "Polygon", "coordinates": [outer, hole]}
    many = {"type": "MultiPolygon", "coordinates": [[[[20, 0], [21, 0], [21, 1], [20, 0]]]]}
    area = read_area(write(tmp_path / "a.json", ring, many))
    found = area.mask(*boxes((4, 4, 5, 5), (1, 1, 1.5, 1.5), (20.5, 0.2, 20.6, 0.3), (15, 0, 16, 1), (1, 4, 3, 5)))
    assert found.tolist() == [False, True, True, False, True]


def test_tiles_across_the_antimeridian(tmp_path: Path) -> None:
    area = read_area(write(tmp_path / "a.json", polygon((-180, 0), (-179, 0), (-179, 1), (-180, 1))))
    assert area.mask(*boxes((179.5, 0.5, -179.9, 0.6), (179.5, 0.5, 179.9, 0.6))).tolist() == [True, False]


def test_a_track_of_one_point_is_a_circle(tmp_path: Path) -> None:
    """Away from the rim by more than the error of flat ground."""
    rng = np.random.default_rng(0)
    lon, lat = 8.5, 47.3
    track = read_track(write(tmp_path / "t.json", line((lon, lat), (lon, lat + METRE / 10))), 2_000.0)
    west, south = lon + rng.uniform(-0.05, 0.05, 3_000), lat + rng.uniform(-0.04, 0.04, 3_000)
    edges = west, south, west + 0.001, south + 0.001
    smaller, larger = (CircleRegion(LatLon(lat, lon), radius_m).mask(*edges) for radius_m in (1_996.0, 2_004.0))
    found = track.mask(*edges)
    assert (found >= smaller).all()
    assert (found <= larger).all()
    assert 100 < found.sum() < 3_000


def test_a_track_takes_what_lies_beside_it_over_all_its_length(tmp_path: Path) -> None:
    track = read_track(write(tmp_path / "t.json", line((8, 47), (8.2, 47), (8.2, 47.1)), kind="Feature"), 100.0)
    side = 99 * METRE
    found = track.mask(
        *boxes(
            (8.1, 47 + side, 8.101, 47.01),
            (8.1, 47 + 102 * METRE, 8.101, 47.01),
            (8.2 + side / np.cos(np.radians(47.05)), 47.05, 8.21, 47.06),
            (8.3, 47.05, 8.4, 47.06),
            (-180, -90, 180, 90),
        )
    )
    assert found.tolist() == [True, False, True, False, True]


def test_a_track_across_the_antimeridian_does_not_go_round_the_world(tmp_path: Path) -> None:
    track = read_track(write(tmp_path / "t.json", line((179.99, 0), (-179.99, 0))), 50.0)
    found = track.mask(*boxes((179.995, 0, 179.996, 0.001), (-179.996, 0, -179.995, 0.001), (0, 0, 0.001, 0.001)))
    assert found.tolist() == [True, True, False]
    assert track.mask(*boxes((179.9999, -0.001, -179.9999, 0.001))).tolist() == [True]


def test_a_box_around_tiles_touches_where_one_of_them_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    west, south = rng.uniform(7.9, 8.3, 2_000), rng.uniform(46.9, 47.2, 2_000)
    edges = np.stack([west, south, west + 0.002, south + 0.002])
    area = read_area(write(tmp_path / "a.json", polygon((8, 47), (8.1, 47), (8, 47.1))))
    track = read_track(write(tmp_path / "t.json", line((8, 47), (8.2, 47.1))), 100.0)
    for region in (area, track):
        each = region.mask(*edges).reshape(-1, 20)
        groups = edges.reshape(4, -1, 20)
        around = region.mask(groups[0].min(axis=1), groups[1].min(axis=1), groups[2].max(axis=1), groups[3].max(axis=1))
        assert (around >= each.any(axis=1)).all()
        assert each.any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no json", "is no JSON"),
        (b"[]", "holds no geometry"),
        (b'{"type": "Point", "coordinates": [8, 47]}', "holds a Point"),
        (b'{"type": "Polygon", "coordinates": []}', "empty Polygon"),
        (b'{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]}', "not valid"),
        (b'{"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}', "cannot be read"),
        (b'{"type": "Polygon", "coordinates": [[[0, 0], [999, 0], [1, 1], [0, 0]]]}', "give degrees of WGS 84"),
    ],
)
def test_what_is_no_area_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(BadQuery, match=message):
        read_area(tmp_path / "a.json")


def test_what_is_no_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadQuery, match="holds a Polygon"):
        read_track(write(tmp_path / "a.json", polygon((0, 0), (1, 0), (0, 1))), 10.0)
    with pytest.raises(BadQuery, match="beyond 85 degrees"):
        read_track(write(tmp_path / "a.json", line((0, 80), (0, 89))), 10.0)
    with pytest.raises(BadQuery, match="radius_m is -1"):
        read_track(write(tmp_path / "a.json", line((0, 0), (0, 1))), -1.0)


def test_a_polygon_over_the_antimeridian_that_is_not_cut_there_is_refused(tmp_path: Path) -> None:
    uncut = polygon((179.9, -17), (-179.9, -17), (-179.9, -16), (179.9, -16))
    with pytest.raises(BadQuery, match=r"an edge from longitude 179\.9 to -179\.9, 359\.8 degrees round the Earth"):
        read_area(write(tmp_path / "a.json", uncut))
    whole = polygon((-180, -60), (180, -60), (180, 60), (-180, 60))
    assert read_area(write(tmp_path / "b.json", whole)).mask(*boxes((8, 47, 9, 48))).all()
    cut = polygon((179.9, -17), (180, -17), (180, -16), (179.9, -16))
    assert read_area(write(tmp_path / "c.json", cut)).mask(*boxes((179.95, -16.5, -179.95, -16.4))).all()


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", True),
        ("EPSG:4326", True),
        ("urn:ogc:def:crs:EPSG::4326", True),
        ("urn:ogc:def:crs:EPSG::25832", False),
        ("EPSG:43260", False),
    ],
)
def test_another_reference_system_is_refused(tmp_path: Path, name: str, read: bool) -> None:
    path = write(tmp_path / "a.json", polygon((8, 47), (9, 47), (8, 48)))
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "crs": {"type": "name", "properties": {"name": name}}}))
    if read:
        assert read_area(path).mask(*boxes((8.1, 47.1, 8.2, 47.2))).all()
    else:
        with pytest.raises(BadQuery, match="names the reference system"):
            read_area(path)
