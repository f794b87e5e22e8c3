import pytest

from indexer.tiles.sources.sidecars import metadata_claim
from indexer.tiles.sources.stated_bounds import read_box
from model.common.geo import Bounds, LatLon


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("8.4,47.0,8.6,47.2", (8.4, 47.0, 8.6, 47.2)),
        ([8.4, "47.0", 8.6, 47.2], (8.4, 47.0, 8.6, 47.2)),
        ("179,-18,181,-16", (179.0, -18.0, -179.0, -16.0)),
        ("-181,-18,-179,-16", (179.0, -18.0, -179.0, -16.0)),
        ("-180,-85.0511,180,85.0511", (-180.0, -85.0511, 180.0, 85.0511)),
        ("-200,-90,200,90", (-180.0, -90.0, 180.0, 90.0)),
        (" 8.4, 47.0 , 8.6,47.2 ", (8.4, 47.0, 8.6, 47.2)),
        ("8.4 47.0  8.6\t47.2", (8.4, 47.0, 8.6, 47.2)),
        ("8.4;47.0; 8.6;47.2", (8.4, 47.0, 8.6, 47.2)),
        ("[8.4, 47.0, 8.6, 47.2]", (8.4, 47.0, 8.6, 47.2)),
        ("-20037508.342789244,-20037508.342789244,0,0", (-180.0, -85.0511287798066, 0.0, 0.0)),
    ],
)
def test_bounds_are_read_however_they_are_written(values: object, expected: tuple[float, ...]) -> None:
    found = read_box(values)
    assert found is not None
    assert found.as_tuple() == pytest.approx(expected)


@pytest.mark.parametrize(
    "values",
    [
        "",
        "1,2,3",
        "a,b,c,d",
        "0,0,0,0",
        "8,47,9,47",
        "8,536,47,372,8,548,47,380",
        "nan,0,1,1",
        "0,-900,1,900",
        "9e9,0,1,1",
        7,
        [[]],
        {"a": 1},
    ],
)
def test_what_is_no_box_is_none(values: object) -> None:
    assert read_box(values) is None


def test_metadata_says_what_it_says_and_no_more() -> None:
    claim = metadata_claim(
        "here", {"bounds": "8,47,9,48", "center": [8.5, 47.5, 3], "scheme": "TMS", "crs": "EPSG:3857"}
    )
    assert (claim.scheme, claim.boxes, claim.centres[0], claim.other_grid) == (
        "tms", (Bounds(8.0, 47.0, 9.0, 48.0),), LatLon(47.5, 8.5), "",
    )  # fmt: skip
    assert metadata_claim("here", {}).boxes == ()
    assert metadata_claim("here", {"bounds": "-180,-85.06,180,85.06"}).boxes == ()  # which says nothing
    assert metadata_claim("here", {"bounds": "oops"}).note == "warning: here gives bounds that cannot be read: 'oops'"
    assert metadata_claim("here", {"scheme": ["tms"], "center": "x", "crs": 4326}).scheme == ""


@pytest.mark.parametrize(
    ("profile", "crs", "other"),
    [
        ("geodetic", None, "geodetic"),
        ("mercator", "EPSG:3857", ""),
        (None, "EPSG:900913", ""),
        (None, "urn:ogc:def:crs:EPSG::3857", ""),
        (None, "EPSG:4326", "EPSG:4326"),
        (None, "4326", "4326"),
        (None, "urn:ogc:def:crs:OGC:1.3:CRS84", "CRS84"),
        (None, "EPSG:2056", "EPSG:2056"),
        (None, "WGS 84 / Pseudo-Mercator", ""),
    ],
)
def test_other_grids_are_named(profile: str | None, crs: str | None, other: str) -> None:
    found = metadata_claim("here", {"profile": profile, "crs": crs}).other_grid
    assert other in found
    assert bool(found) == bool(other)
