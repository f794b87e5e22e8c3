"""Bad input is a 4xx problem with a reason, never a 5xx; and the service goes on."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from tests.service.conftest import HookedEncoder, serving
from tests.service.pictures import encoded, panorama_of, png_bomb

GOOD = encoded(panorama_of(6))


def check_problem(response, status: int, *words: str) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:clnet:problem:")
    for word in words:
        assert word in problem["detail"]
    return problem


def post(client, photo: bytes = GOOD, **fields):
    return client.post("/localize", files={"panorama": ("photo.jpg", photo, "image/jpeg")}, data=fields)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"top_k": "0"}, "top_k"),
        ({"top_k": "101"}, "top_k"),
        ({"top_k": "1e9"}, "top_k"),
        ({"top_k": "1000000000"}, "top_k"),
        ({"top_k": "-1"}, "top_k"),
        ({"top_k": "NaN"}, "top_k"),
        ({"top_k": "2.5"}, "top_k"),
        ({"top_k": ""}, "empty"),
        ({"heading_deg": ""}, "empty"),
        ({"heading_deg": "nan"}, "heading_deg"),
        ({"heading_deg": "inf"}, "heading_deg"),
        ({"heading_deg": "north"}, "unknown"),
        ({"heading_deg": "400"}, "360"),
        ({"heading_deg": "1_0"}, "underscore"),
        ({"fov_deg": "9_0"}, "underscore"),
        ({"top_k": "1_0"}, "underscore"),
        ({"near": "4_7.1,8.5", "radius_m": "100"}, "underscore"),
        ({"fov_deg": "0"}, "fov_deg"),
        ({"fov_deg": "-90"}, "fov_deg"),
        ({"fov_deg": "361"}, "fov_deg"),
        ({"fov_deg": "nan"}, "fov_deg"),
        ({"near": "91,0", "radius_m": "10"}, "latitude"),
        ({"near": "0,181", "radius_m": "10"}, "longitude"),
        ({"near": "nan,0", "radius_m": "10"}, "lat,lon"),
        ({"near": "here", "radius_m": "10"}, "lat,lon"),
        ({"near": "47,8"}, "radius_m"),
        ({"radius_m": "10"}, "near"),
        ({"near": "47,8", "radius_m": "0"}, "radius_m"),
        ({"near": "47,8", "radius_m": "-5"}, "radius_m"),
        ({"near": "47,8", "radius_m": "nan"}, "radius_m"),
        ({"near": "47,8", "radius_m": "inf"}, "radius_m"),
        ({"near": "47,8", "radius_m": "1e12"}, "radius_m"),
        ({"bbox": "1,2,3"}, "west,south,east,north"),
        ({"bbox": "0,10,1,5"}, "south"),
        ({"bbox": "nan,0,1,1"}, "west,south,east,north"),
        ({"bbox": "8,47,9,48", "near": "47,8", "radius_m": "10"}, "one area"),
        ({"tok_k": "5"}, "tok_k"),
    ],
)
def test_wrong_field_is_named_with_a_reason(client, fields, word):
    problem = check_problem(post(client, **fields), 422, word)
    assert problem["errors"]


def test_field_given_twice_is_refused(client):
    check_problem(client.post("/localize", files={"panorama": GOOD}, data={"top_k": ["1", "2"]}), 422, "more than once")


def test_area_without_tiles_is_said_so(client):
    check_problem(post(client, near="-40,-100", radius_m="1000"), 422, "none of the 16 tiles")


@pytest.mark.parametrize(
    "request_parts",
    [{}, {"data": {"top_k": "3"}}, {"json": {"panorama": "x"}}, {"content": b"raw"}],
    ids=["nothing", "no file", "json", "raw bytes"],
)
def test_missing_photo_is_named(client, request_parts):
    check_problem(client.post("/localize", **request_parts), 422, "panorama")


def test_photo_sent_as_text_is_explained(client):
    check_problem(client.post("/localize", data={"panorama": "hello"}), 422, "send it as a file")


def test_multipart_without_boundary_is_a_bad_request(client):
    check_problem(client.post("/localize", content=b"x", headers={"content-type": "multipart/form-data"}), 400)


def gif() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "GIF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("photo", "word"),
    [
        (b"", "empty"),
        (b"This is no picture at all.", "not a JPEG, PNG, WebP, TIFF, AVIF or HEIC"),
        (encoded(panorama_of(6), "JPEG")[:500], "cannot be decoded"),
        (GOOD[:100], "cannot be decoded"),
        (GOOD[:20], "cannot be decoded"),
        (gif(), "not a JPEG, PNG, WebP, TIFF, AVIF or HEIC"),
        (b"\xff\xd8\xff" + bytes(2000), "the image"),
        (png_bomb(), "pixels"),
    ],
    ids=["zero bytes", "text", "truncated jpeg", "truncated png", "header only", "gif", "jpeg noise", "png bomb"],
)
def test_unusable_photo_is_a_problem_with_the_reason(client, photo, word):
    check_problem(post(client, photo), 422, word)
    assert post(client).status_code == 200


def test_fifty_megapixel_jpeg_is_answered(client):
    photo = encoded(Image.new("RGB", (10_000, 5_000), "green"), "JPEG", quality=40)
    assert post(client, photo).status_code == 200


def test_photo_above_the_pixel_limit_is_refused_undecoded(settings):
    with serving(replace(settings, max_megapixels=0.01)) as client:
        check_problem(post(client), 422, "the limit is 10,000")


def test_body_with_a_length_above_the_limit_is_refused(settings):
    with serving(replace(settings, max_upload_mb=1)) as client:
        check_problem(post(client, bytes(2_000_000)), 413, "1 MiB")
        assert post(client).status_code == 200


def test_chunked_body_above_the_limit_is_refused(settings):
    head = b'--b\r\ncontent-disposition: form-data; name="panorama"; filename="a"\r\n\r\n'
    with serving(replace(settings, max_upload_mb=1)) as client:
        body = (part for part in [head, *[bytes(100_000)] * 20])
        response = client.post("/localize", content=body, headers={"content-type": "multipart/form-data; boundary=b"})
        check_problem(response, 413, "1 MiB")


def test_thousands_of_fields_are_refused(client):
    fields = {f"field{i}": "x" for i in range(2000)}
    assert client.post("/localize", files={"panorama": GOOD}, data=fields).status_code == 400


def test_unknown_address_and_wrong_method_are_problems(client):
    assert client.get("/nowhere").json()["title"] == "There is nothing at this address"
    response = client.get("/localize")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"


def test_unforeseen_error_is_a_500_that_tells_nothing(settings):
    def fail(_):
        raise RuntimeError("secret path /srv/weights")

    with serving(settings, HookedEncoder(fail)) as client:
        response = post(client)
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert "secret" not in response.text
        assert client.get("/readyz").status_code == 200
