import json

import pytest

from indexer.tiles.sources.sidecars import folder_claims, metadata_claim, read_box
from model.common.geo import Bounds


@pytest.mark.parametrize(
    ("given", "box"),
    [
        ([8, 47, 9, 48], Bounds(8.0, 47.0, 9.0, 48.0)),
        ("8,47,9,48", Bounds(8.0, 47.0, 9.0, 48.0)),
        ("179,-1,181,1", Bounds(179.0, -1.0, -179.0, 1.0)),
        ([-200, -90, 200, 90], Bounds(-180.0, -90.0, 180.0, 90.0)),
        ([0, 0, 0, 0], None),
        ([8, 48, 9, 47], None),
        ("8,47,9", None),
        ("a,b,c,d", None),
        ([8, 47, float("nan"), 48], None),
        (7, None),
    ],
)
def test_a_box_is_four_numbers_with_an_extent(given, box):
    assert read_box(given) == box


def test_bounds_that_cannot_be_read_are_a_remark():
    claim = metadata_claim("metadata", {"bounds": "everywhere", "scheme": "TMS "})
    assert claim.scheme == "tms"
    assert claim.boxes == ()
    assert claim.note == "metadata gives bounds that cannot be read: 'everywhere'"
    assert metadata_claim("metadata", {"profile": "geodetic"}).other_grid == "the profile 'geodetic'"
    assert metadata_claim("metadata", {"crs": "EPSG:3857"}).other_grid == ""


def test_descriptions_of_a_folder_are_found_and_damaged_ones_passed_over(tmp_path):
    (tmp_path / "metadata.json").write_text(json.dumps({"scheme": "tms", "bounds": "8,47,9,48"}))
    (tmp_path / "other.json").write_text(json.dumps({"scheme": "tms"}))
    (tmp_path / "broken.xml").write_text("<TileMap")
    (tmp_path / "tilemapresource.xml").write_text(
        '<TileMap><SRS>EPSG:3857</SRS><BoundingBox minx="8" miny="47" maxx="9" maxy="48"/>'
        '<TileSets profile="mercator"/></TileMap>'
    )
    found = {claim.origin: claim for claim in folder_claims(tmp_path)}
    assert sorted(found) == ["metadata.json", "tilemapresource.xml"]
    assert found["tilemapresource.xml"].scheme == "tms"
    assert found["tilemapresource.xml"].boxes[0] == found["metadata.json"].boxes[0] == Bounds(8.0, 47.0, 9.0, 48.0)
