from pathlib import Path

from indexer.geojson import footprint, match_features
from model.geo import Bounds
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
    features = match_features(index, index.search(vector_of(4), top_k=3)[0])["features"]
    assert [feature["properties"]["rank"] for feature in features] == [1, 2, 3]
    best = index.tile(int(index.search(vector_of(4), top_k=1)[0].rows[0]))
    assert features[0]["id"] == best.tile_id
    assert features[0]["bbox"] == list(best.bounds.as_tuple())
