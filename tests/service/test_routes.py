import pytest

from service.routes import router
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM
from tests.service.pictures import encoded, panorama_of

TILE = f"/tiles/{ZOOM}/{WEST_X}/{NORTH_Y}"


def test_the_addresses_are_those_that_the_documentation_lists():
    addresses = {(method, route.path) for route in router.routes for method in route.methods}
    assert addresses == {
        ("POST", "/localize"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/info"),
        ("GET", "/metrics"),
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"near": ""}, "near: is empty"), ({"top_k": ["1", "2"]}, "top_k")],
)
def test_an_empty_or_a_repeated_field_is_a_mistake_not_a_default(client, fields, reason):
    answer = client.post("/localize", files={"panorama": ("photo", encoded(panorama_of(1)))}, data=fields)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


def test_a_region_without_tiles_is_told_apart_from_a_bad_request(client):
    photo = {"panorama": ("photo", encoded(panorama_of(1)))}
    answer = client.post("/localize", files=photo, data={"near": "0,0", "radius_m": "10"})
    assert answer.json()["type"] == "urn:clnet:problem:no-tiles-in-region"


def test_a_tile_that_the_client_has_is_not_sent_again(client):
    first = client.get(TILE)
    assert first.headers["content-type"] == "image/png"
    again = client.get(TILE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"/tiles/{ZOOM}/1/1").status_code == 404


def test_info_says_what_is_served(client):
    info = client.get("/info").json()
    assert (info["model"]["name"], info["index"]["tiles"], info["zooms"]) == ("fake", 16, [ZOOM])
    assert info["limits"]["top_k"] == 100
