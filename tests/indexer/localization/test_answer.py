"""The answer as one object: every value of it, with the names that the command line and HTTP print."""

import json

from indexer.localization.answer import Localization, Match
from indexer.localization.position import Position
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds, LatLon
from model.inputs.photo_metadata import PhotoMetadata
from model.inputs.photo_view import GivenView, ResolvedView, resolve_view
from tests.indexer.tiny import table_of_boxes


def tile() -> TileRecord:
    return table_of_boxes([8.0], [47.0], [9.0], [48.0]).record(0)


def found(view: ResolvedView, **more) -> Localization:
    match = Match(1, tile(), 0.75, 90.0)
    return Localization((match,), Position(LatLon(47.5, 8.5), 123.456), view, {}, True, 12, **more)


def test_a_match_tells_its_tile_and_how_it_fits():
    assert Match(3, tile(), 0.75, 90.0).as_json() == {
        "rank": 3,
        "tile_id": "tile-0",
        "score": 0.75,
        "heading_deg": 90.0,
        "lat": tile().lat,
        "lon": 8.5,
        "bounds": [8.0, 47.0, 9.0, 48.0],
        "source": "tile-0",
    }
    assert tile().bounds == Bounds(8.0, 47.0, 9.0, 48.0)


def test_an_answer_tells_where_its_view_is_known_from():
    view = resolve_view(GivenView(), PhotoMetadata(heading_deg=90.0), 200, 100)
    answer = found(view).as_json()
    assert answer["view"] == {
        "heading_deg": 90.0, "heading_source": "photo", "fov_deg": 360.0, "fov_source": "assumed"
    }  # fmt: skip
    unknown = found(resolve_view(GivenView(), PhotoMetadata(), 200, 100)).as_json()["view"]
    assert (unknown["heading_deg"], unknown["heading_source"]) == (None, "unknown")


def test_an_answer_is_whole_and_plain_json():
    answer = found(ResolvedView(0.0, 360.0, 180.0), warnings=("too high",)).as_json()
    assert set(answer) == {"matches", "estimate", "view", "exact", "scanned", "warnings"}
    assert (answer["exact"], answer["scanned"], answer["warnings"]) == (True, 12, ["too high"])
    assert answer["estimate"]["radius_m"] == 123.5
    assert json.loads(json.dumps(answer)) == answer
