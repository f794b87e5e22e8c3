"""GeoJSON for GeoJSON's readers."""

from service.geojson import feature_collection
from service.schemas import Estimate, IndexInfo, LocalizeAnswer, Match, ModelInfo, PhotoView, Timings


def answer(bounds) -> LocalizeAnswer:
    match = Match(rank=1, tile_id="t", lat=0.5, lon=0.0, bounds=bounds, score=0.5, heading_deg=0.0, image_url=None)
    return LocalizeAnswer(
        matches=[match],
        estimate=Estimate(
            lat=0.5, lon=0.0, radius_m=10.0, confidence=None, confidence_radius_m=None, no_confidence_because="x"
        ),
        view=PhotoView(heading_deg=90.0, heading_source="photo", fov_deg=360.0, fov_source="assumed"),
        warnings=["too high"],
        model=ModelInfo(name="m", digest="d"),
        index=IndexInfo(name="i", tiles=1, digest="d"),
        timings_ms=Timings(decode=0, embed=0, search=0, total=0),
    )


def test_outline_is_counter_clockwise_and_lon_comes_first():
    feature = feature_collection(answer((10.0, 1.0, 11.0, 2.0)))["features"][0]
    assert feature["geometry"]["coordinates"] == [[[10, 1], [11, 1], [11, 2], [10, 2], [10, 1]]]
    assert feature["bbox"] == [10, 1, 11, 2]


def test_tile_across_the_antimeridian_is_cut_there():
    geometry = feature_collection(answer((179.0, 0.0, -179.0, 1.0)))["features"][0]["geometry"]
    assert geometry["type"] == "MultiPolygon"
    longitudes = [[point[0] for point in polygon[0]] for polygon in geometry["coordinates"]]
    assert [(min(ring), max(ring)) for ring in longitudes] == [(179, 180), (-180, -179)]


def test_everything_of_the_json_answer_is_there():
    plain = answer((0.0, 0.0, 1.0, 1.0))
    collection = feature_collection(plain)
    beside = {name: value for name, value in plain.model_dump(mode="json").items() if name != "matches"}
    assert set(beside) == {"estimate", "view", "warnings", "model", "index", "timings_ms"}
    assert {name: collection[name] for name in beside} == beside
