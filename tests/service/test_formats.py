"""Which form a client gets, and what stands in it."""

import csv
import io
from xml.etree import ElementTree

import pytest

from service.formats import CSV, JSON, KML, preferred
from service.geojson import GEO_JSON
from tests.service.pictures import encoded, panorama_of


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/geo+json", True),
        ("Application/Geo+JSON", True),
        ("application/geo+json, application/json;q=0.5", True),
        ("application/geo+json;q=0.5, application/json", False),
        ("application/geo+json;q=0", False),
        ("application/geo+json;q=x", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_accept_header_chooses(accept, wanted):
    assert (preferred(accept) == GEO_JSON) is wanted


@pytest.mark.parametrize(
    ("accept", "form"),
    [("text/csv", CSV), (f"{KML}, application/json;q=0.5", KML), ("text/csv;q=0", JSON), ("text/csv;q=x", JSON)],
)
def test_other_forms_are_chosen_likewise(accept, form):
    assert preferred(accept) == form


def ask(client, accept):
    photo = {"panorama": encoded(panorama_of(6))}
    fields = {"heading_deg": "0", "fov_deg": "360", "top_k": "3"}
    plain = client.post("/v1/localize", files=photo, data=fields).json()
    answer = client.post("/v1/localize", files=photo, data=fields, headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(accept)
    return plain, answer


def test_table_has_a_line_for_the_estimate_and_one_for_each_match(client):
    plain, answer = ask(client, CSV)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["kind"] for row in rows] == ["estimate", "match", "match", "match"]
    assert float(rows[0]["lat"]) == plain["estimate"]["lat"]
    assert [row["tile_id"] for row in rows[1:]] == [match["tile_id"] for match in plain["matches"]]


def test_kml_is_well_formed_and_has_longitude_first(client):
    plain, answer = ask(client, KML)
    space = {"k": "http://www.opengis.net/kml/2.2"}
    marks = ElementTree.fromstring(answer.content).findall(".//k:Placemark", space)
    assert len(marks) == 4
    lon, lat = marks[0].findtext(".//k:coordinates", namespaces=space).split(",")
    assert (float(lat), float(lon)) == (plain["estimate"]["lat"], plain["estimate"]["lon"])
    assert len(marks[1].findtext(".//k:coordinates", namespaces=space).split()) == 5
