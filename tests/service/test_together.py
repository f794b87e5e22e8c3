"""Several photos of one place over HTTP: one answer, each photo with what is said of it."""

import pytest
from PIL import Image

from indexer.index import dense
from service.together import MOST_PHOTOS
from tests.service.pictures import encoded, panorama_of, turned

ADDRESS = "/localize/together"


def parts(*photos: bytes):
    return [("panorama", (f"{number}.png", photo)) for number, photo in enumerate(photos)]


def doubtful(seed: int, rival: int, share: float) -> bytes:
    return encoded(Image.blend(panorama_of(seed), panorama_of(rival), share))


def ask(client, *photos: bytes, **fields):
    return client.post(ADDRESS, files=parts(*photos), data={"fov_deg": "360", **fields})


def test_photos_that_are_wrong_alone_are_right_together(client):
    photos = [doubtful(5, rival, 0.6) for rival in (2, 9, 14)]
    alone = [
        client.post("/localize", files={"panorama": photo}, data={"heading_deg": "0", "fov_deg": "360"}).json()
        for photo in photos
    ]
    right = client.post("/localize", files={"panorama": encoded(panorama_of(5))}, data={"heading_deg": "0"}).json()
    wanted = right["matches"][0]["tile_id"]
    assert all(answer["matches"][0]["tile_id"] != wanted for answer in alone)
    response = ask(client, *photos, heading_deg=["0", "0", "0"])
    assert response.status_code == 200, response.text
    assert response.json()["matches"][0]["tile_id"] == wanted


def test_each_photo_keeps_its_own_view(client):
    photos = [encoded(panorama_of(3)), encoded(turned(panorama_of(3), 90.0))]
    answer = ask(client, *photos, heading_deg=["photo", "90"], fov_deg=["360", "360"]).json()
    assert [one["name"] for one in answer["photos"]] == ["0.png", "1.png"]
    assert [one["heading_source"] for one in answer["photos"]] == ["unknown", "given"]
    assert [one["heading_deg"] for one in answer["photos"]] == [None, 90.0]
    assert [one["found_heading_deg"] for one in answer["photos"]] == [0.0, 90.0]
    assert next(iter(answer)) == "estimate"
    assert answer["estimate"]["confidence"] is None
    assert "several photos together" in answer["estimate"]["no_confidence_because"]
    assert "heading_deg" not in answer["matches"][0]
    assert set(answer["timings_ms"]) == {"decode", "embed", "search", "total"}


def test_a_photo_that_cannot_be_used_is_named(client):
    response = ask(client, encoded(panorama_of(1)), b"no picture")
    assert (response.status_code, response.json()["type"]) == (422, "urn:clnet:problem:bad-image")
    assert response.json()["detail"].startswith("photo 2 of 2 (1.png): the image is not a JPEG")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"heading_deg": ["0"]}, "heading_deg is given 1 times for 2 photos"),
        ({"heading_deg": ["0", "361"]}, "'361' is neither 'unknown', 'photo' nor degrees"),
        ({"heading_deg": ["0", "4294967206"]}, "'4294967206' is neither"),
        ({"heading_deg": ["nan", "0"]}, "'nan' is neither"),
        ({"heading_deg": ["0", ""]}, "heading_deg: is empty"),
        ({"fov_deg": ["90", "90", "90"]}, "fov_deg is given 3 times for 2 photos"),
        ({"fov_deg": ["0", "90"]}, "greater than 0"),
        ({"top_k": ["1", "2"]}, "top_k: is given more than once"),
        ({"near": "1,2"}, "near is given without radius_m"),
        ({"together": "yes"}, "together: is not a field of this form"),
    ],
)
def test_a_wrong_field_is_told(client, fields, reason):
    response = ask(client, *[encoded(panorama_of(1))] * 2, **fields)
    assert response.status_code == 422
    assert reason in response.json()["detail"]


def test_no_photo_and_too_many_are_refused(client):
    photo = encoded(panorama_of(1))
    nothing = client.post(ADDRESS, files=[("top_k", (None, "5"))])
    assert (nothing.status_code, "panorama: is missing" in nothing.json()["detail"]) == (422, True)
    assert ask(client, *[photo] * (MOST_PHOTOS + 1)).status_code == 400
    assert ask(client, *[photo] * MOST_PHOTOS).status_code == 200


def test_an_area_is_searched_and_one_too_large_is_told_apart(client, monkeypatch):
    photo = encoded(panorama_of(1))
    assert ask(client, photo, near="0,0", radius_m="10").json()["type"] == "urn:clnet:problem:no-tiles-in-region"
    monkeypatch.setattr(dense, "MOST_VECTORS", 3)
    response = ask(client, photo)
    assert (response.status_code, response.json()["type"]) == (422, "urn:clnet:problem:too-many-tiles")


def test_the_operation_is_documented(client):
    operation = client.get("/openapi.json").json()["paths"][f"/v1{ADDRESS}"]["post"]
    assert set(operation["responses"]) == {"200", "400", "401", "408", "413", "421", "422", "429", "503"}
    assert "multipart/form-data" in operation["requestBody"]["content"]
