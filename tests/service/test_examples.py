import json

from service.examples import ANSWERS
from service.formats import CSV, KML
from service.geojson import GEO_JSON


def test_the_forms_of_an_answer_tell_the_same_place():
    shown = ANSWERS["localize"]
    lat, lon = shown["application/json"]["estimate"]["lat"], shown["application/json"]["estimate"]["lon"]
    assert shown[GEO_JSON]["features"][-1]["geometry"]["coordinates"] == [lon, lat]
    assert f"{lat},{lon}" in shown[CSV]
    assert f"{lon},{lat}" in shown[KML]


def test_contributions_of_the_explained_example_sum_to_its_score():
    shown = json.loads(json.dumps(ANSWERS["explain"]["application/json"]))
    assert abs(sum(map(sum, shown["pairs"])) - shown["score"]) < 1e-9
    rows = [round(sum(row), 9) for row in shown["pairs"]]
    assert rows == shown["photo"]["heat"]["values"][0]
