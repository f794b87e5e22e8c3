"""Descriptions beside tiles: what each form says of order, place and grid; what cannot be read says nothing."""

import json

import pytest

from indexer.tiles.sources.claims import Claim
from indexer.tiles.sources.sidecars import folder_claims, metadata_claim, read_box
from model.common.geo import Bounds

ZURICH = Bounds(8.0, 47.0, 9.0, 48.0)
TMS = """<TileMap version="1.0.0"><SRS>{srs}</SRS>
<BoundingBox minx="{box[0]}" miny="{box[1]}" maxx="{box[2]}" maxy="{box[3]}"/>
<TileFormat width="256" height="256"/>
<TileSets profile="{profile}"><TileSet href="0" units-per-pixel="{units}" order="0"/></TileSets></TileMap>"""
WMTS = """<Capabilities xmlns:ows="http://www.opengis.net/ows/1.1"><ows:WGS84BoundingBox>
<ows:LowerCorner>8 47</ows:LowerCorner><ows:UpperCorner>9 48</ows:UpperCorner></ows:WGS84BoundingBox>
<ResourceURL template="{template}"/><ows:SupportedCRS>{crs}</ows:SupportedCRS></Capabilities>"""


def tms(srs="EPSG:3857", box=(8, 47, 9, 48), profile="mercator", units=156_543.0339):
    return TMS.format(srs=srs, box=box, profile=profile, units=units)


def claim_of(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (claim,) = folder_claims(tmp_path)
    return claim


@pytest.mark.parametrize(
    ("values", "box"),
    [
        ("8,47,9,48", ZURICH),
        ([8, 47, 9, 48], ZURICH),
        ("170,-10,190,10", Bounds(170.0, -10.0, -170.0, 10.0)),
        ("-200,-90,200,90", Bounds(-180.0, -90.0, 180.0, 90.0)),
        ("0,0,0,0", None),
        ("8,48,9,47", None),
        ("8,47,9", None),
        ("a,b,c,d", None),
        ("890000,5900000,900000,6000000", None),
        ("nan,47,9,48", None),
        (None, None),
    ],
)
def test_a_box_is_four_sensible_numbers_or_none(values, box):
    assert read_box(values) == box


def test_metadata_says_order_place_and_grid():
    said = metadata_claim("metadata", {"bounds": "8,47,9,48", "scheme": "TMS", "profile": "mercator"})
    assert said == Claim("metadata", "tms", (ZURICH,))
    assert metadata_claim("metadata", {"profile": "geodetic"}).other_grid == "the profile 'geodetic'"
    assert metadata_claim("metadata", {"crs": "EPSG:4326"}).other_grid == "the reference system EPSG:4326"
    assert metadata_claim("metadata", {"crs": "EPSG:900913"}).other_grid == ""


def test_bounds_that_cannot_be_read_are_told():
    claim = metadata_claim("metadata", {"bounds": "somewhere"})
    assert (claim.boxes, claim.note) == ((), "metadata gives bounds that cannot be read: 'somewhere'")


def test_a_tile_map_counts_from_the_south_and_may_have_latitude_first_or_metres(tmp_path):
    claim = claim_of(tmp_path, "tilemapresource.xml", tms())
    assert (claim.origin, claim.scheme, claim.other_grid) == ("tilemapresource.xml", "tms", "")
    assert claim.boxes == (ZURICH, Bounds(47.0, 8.0, 48.0, 9.0))
    metres = (890_555.926, 5_942_074.072, 1_001_875.417, 6_106_854.835)
    (first, *_) = claim_of(tmp_path, "tilemapresource.xml", tms(box=metres)).boxes
    assert first.as_tuple() == pytest.approx(ZURICH.as_tuple(), abs=1e-5)


def test_a_tile_map_of_another_grid_says_which(tmp_path):
    assert claim_of(tmp_path, "a.xml", tms(profile="geodetic")).other_grid == "the profile 'geodetic'"
    assert claim_of(tmp_path, "a.xml", tms(srs="EPSG:2056")).other_grid == "the reference system EPSG:2056"
    shifted = claim_of(tmp_path, "a.xml", tms(units=78_271.517)).other_grid
    assert shifted == "a grid whose level 0 has the tile size of zoom 1.00"


@pytest.mark.parametrize(
    ("template", "scheme"),
    [("{TileMatrix}/{TileRow}/{TileCol}.png", "zyx"), ("{TileMatrix}/{TileCol}/{TileRow}.png", "xyz"), ("", "")],
)
def test_capabilities_say_the_order_by_their_template(tmp_path, template, scheme):
    claim = claim_of(tmp_path, "wmts.xml", WMTS.format(template=template, crs="urn:ogc:def:crs:EPSG::3857"))
    assert (claim.scheme, claim.boxes, claim.other_grid) == (scheme, (ZURICH,), "")


def test_capabilities_of_degrees_name_another_grid(tmp_path):
    claim = claim_of(tmp_path, "wmts.xml", WMTS.format(template="", crs="urn:ogc:def:crs:OGC:1.3:CRS84"))
    assert claim.other_grid == "the reference system CRS84"


def test_what_is_no_description_is_passed_over(tmp_path):
    for name, text in (("a.json", '{"bounds": "8,47,9,48"}'), ("b.xml", "<TileMap>"), ("c.xml", "<other/>")):
        (tmp_path / name).write_text(text)
    (tmp_path / "metadata.json").write_text("[" * 5_000)
    assert folder_claims(tmp_path) == []
    (tmp_path / "b.json").write_text(json.dumps({"tilejson": "3.0.0", "bounds": [8, 47, 9, 48]}))
    assert folder_claims(tmp_path) == [Claim("b.json", boxes=(ZURICH,))]
