"""Several photos in one request."""

import json

import pytest

from model.common.geo import LatLon, great_circle_m
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM
from tests.service.pictures import encoded, panorama_of

GOOD = [(f"{seed}.png", encoded(panorama_of(seed))) for seed in (1, 5, 6)]
SEEN = {"heading_deg": "0", "fov_deg": "360"}


def post(client, way, photos, **fields):
    return client.post(f"/v1/localize/{way}", files=[("panorama", photo) for photo in photos], data=SEEN | fields)


def tile_of(seed: int) -> str:
    return f"{ZOOM}/{WEST_X + seed % 4}/{NORTH_Y + seed // 4}"


def test_each_photo_is_a_line_and_a_bad_one_spoils_no_other(client):
    answer = post(client, "batch", [*GOOD, ("bad.png", b"no picture")], top_k="1")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = sorted((json.loads(line) for line in answer.text.splitlines()), key=lambda line: line["number"])
    assert [line["name"] for line in lines] == ["1.png", "5.png", "6.png", "bad.png"]
    assert [line["answer"]["matches"][0]["tile_id"] for line in lines[:3]] == [tile_of(seed) for seed in (1, 5, 6)]
    assert lines[3]["answer"] is None
    assert (lines[3]["problem"]["status"], lines[3]["problem"]["type"]) == (422, "urn:clnet:problem:bad-image")


def test_answers_are_those_of_one_photo_alone(client):
    line = json.loads(post(client, "batch", GOOD[:1]).text)
    alone = client.post("/v1/localize", files={"panorama": GOOD[0]}, data=SEEN).json()
    assert line["answer"]["matches"] == alone["matches"]
    assert line["answer"]["estimate"] == alone["estimate"]


def test_track_leads_through_the_matches_and_over_what_cannot_be_used(client):
    answer = post(client, "track", [GOOD[1], ("bad.png", b"no picture"), GOOD[2]], max_step_m="300").json()
    assert [photo["tile_id"] for photo in answer["photos"]] == [tile_of(5), None, tile_of(6)]
    assert answer["photos"][1]["problem"]["status"] == 422
    between = sorted(photo["lon"] for photo in answer["photos"])
    assert answer["photos"][1]["lon"] == pytest.approx(between[1])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_speed_m_s": "3"}, "max_speed_m_s is given without times_s"),
        ({"times_s": "0,1", "max_step_m": "5"}, "max_step_m and times_s are both given"),
        ({"times_s": "0"}, "give a time for each"),
        ({"top_k": "3"}, "top_k: is not a field of this form"),
    ],
)
def test_track_refuses_what_it_would_pass_over(client, fields, said):
    answer = post(client, "track", GOOD[:2], **fields)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_a_way_that_is_too_fast_is_not_taken(client):
    corners = [(f"{seed}.png", encoded(panorama_of(seed))) for seed in (0, 15)]
    slow, fast = (
        post(client, "track", corners, times_s="0,1", max_speed_m_s=speed).json()["photos"] for speed in ("1", "1000")
    )
    assert [photo["tile_id"] for photo in fast] == [tile_of(0), tile_of(15)]
    assert {tile_of(0), tile_of(15)} > {photo["tile_id"] for photo in slow if photo["tile_id"]}


def test_a_way_that_exceeds_the_limit_says_by_how_much(client):
    corners = [(f"{seed}.png", encoded(panorama_of(seed))) for seed in (0, 0, 0, 0, 15, 15, 15, 15)]
    times = ",".join(map(str, range(8)))
    slow, fast = (
        post(client, "track", corners, times_s=times, max_speed_m_s=speed).json()["photos"] for speed in ("1", "1000")
    )
    assert (
        [photo["tile_id"] for photo in slow]
        == [photo["tile_id"] for photo in fast]
        == [tile_of(0)] * 4 + [tile_of(15)] * 4
    )
    assert [photo["beyond_m"] for photo in fast] == [0.0] * 8
    assert [photo["beyond_m"] for photo in slow[:4] + slow[5:]] == [0.0] * 7
    apart_m = great_circle_m(*(LatLon(slow[number]["lat"], slow[number]["lon"]) for number in (3, 4)))
    assert slow[4]["beyond_m"] == pytest.approx(apart_m - 1.0, abs=0.2)


def test_steps_of_each_photo_of_a_batch_are_counted(client):
    post(client, "batch", GOOD)
    assert 'clnet_step_seconds_count{step="embed"} 3.0' in client.get("/metrics").text


def test_track_of_photos_none_of_which_can_be_used_is_refused(client):
    assert post(client, "track", [("bad.png", b"no picture")] * 2).status_code == 422


@pytest.mark.parametrize("way", ["batch", "track"])
@pytest.mark.parametrize(
    "fields", [{"top": "3"}, {"near": "1,1"}, {"fov_deg": "0"}, {"heading_deg": ["0", "1"]}, {"bbox": ""}]
)
def test_bad_fields_are_refused_before_any_photo_is_read(client, way, fields):
    answer = post(client, way, GOOD[:1], **fields)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("times", ["", "0", "0,1,2", "1,0", "0,x", "0,nan", "0,1e999"])
def test_times_that_do_not_fit_are_refused(client, times):
    assert post(client, "track", GOOD[:2], times_s=times).status_code == 422


def test_no_photo_and_too_many_are_refused(client):
    assert client.post("/v1/localize/batch", data=SEEN, files={"other": b""}).status_code == 422
    assert post(client, "batch", [("a.png", b"x")] * 257).status_code == 400


def test_area_without_tiles_is_told_for_each_photo(client):
    lines = [json.loads(line) for line in post(client, "batch", GOOD[:2], near="0,0", radius_m="10").text.splitlines()]
    assert {line["problem"]["type"] for line in lines} == {"urn:clnet:problem:no-tiles-in-region"}
