from pathlib import Path

from indexer.localization.answer import Localization, Match
from indexer.localization.geojson import footprint, match_features
from indexer.localization.position import Position
from model.common.geo import Bounds, LatLon
from model.inputs.photo_view import ResolvedView
from tests.indexer.tiny import build_tiny, vector_of


def test_a_footprint_is_a_closed_counter_clockwise_ring_in_lon_lat() -> None:
    assert footprint(Bounds(8.0, 47.0, 9.0, 48.0)) == {
        "type": "Polygon",
        "coordinates": [[[8.0, 47.0], [9.0, 47.0], [9.0, 48.0], [8.0, 48.0], [8.0, 47.0]]],
    }


def test_a_footprint_across_the_antimeridian_is_cut_there() -> None:
    shape = footprint(Bounds(179.0, 0.0, -179.0, 1.0))
    assert shape["type"] == "MultiPolygon"
    assert [[ring[0][0][0], ring[0][1][0]] for ring in shape["coordinates"]] == [[179.0, 180.0], [-180.0, -179.0]]


def test_matches_become_features_best_first(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    (result,) = index.search(vector_of(4), top_k=3)
    scored = zip(result.rows.tolist(), result.scores.tolist(), strict=True)
    matches = tuple(Match(rank, index.tile(row), score, 90.0) for rank, (row, score) in enumerate(scored, 1))
    position = Position(LatLon(0.0, 0.0), 1.0)
    found = Localization(matches, position, ResolvedView(90.0, 360.0, 180.0), {}, True, 12, ("too high",))
    collection = match_features(found)
    features = collection["features"]
    assert [feature["properties"]["rank"] for feature in features] == [1, 2, 3]
    assert [feature["properties"]["heading_deg"] for feature in features] == [90.0] * 3
    assert collection["warnings"] == ["too high"]
    best = matches[0].tile
    assert features[0]["id"] == best.tile_id
    assert features[0]["bbox"] == list(best.bounds.as_tuple())
