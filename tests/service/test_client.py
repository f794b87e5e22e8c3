"""The typed client against the real app, blocking and asynchronous."""

import asyncio

import httpx
import pytest

from service.client import AsyncClient, Client, ServiceProblem
from tests.service.pictures import encoded, panorama_of

SEEN = {"heading_deg": 0, "fov_deg": 360}
PHOTO = encoded(panorama_of(6))


@pytest.fixture
def asked(client):
    return Client("", http=client)


@pytest.mark.filterwarnings("ignore:You should not use the 'timeout' argument")  # of a client for tests
def test_answers_are_typed_and_those_of_the_service(asked, client, tmp_path):
    plain = client.post("/v1/localize", files={"panorama": PHOTO}, data={"heading_deg": "0", "fov_deg": "360"}).json()
    (tmp_path / "photo.png").write_bytes(PHOTO)
    for photo in (PHOTO, tmp_path / "photo.png", str(tmp_path / "photo.png")):
        answer = asked.localize(photo, **SEEN, bbox=None)
        assert answer.matches[0].tile_id == plain["matches"][0]["tile_id"]
        assert answer.estimate.lat == plain["estimate"]["lat"]
    assert asked.info().index.tiles == 16
    assert asked.is_ready()


def test_a_service_that_is_not_there_is_not_ready():
    with Client("http://127.0.0.1:9") as client:
        assert not client.is_ready()


def test_several_photos_come_back_as_lines_and_as_a_track(asked):
    lines = sorted(asked.batch([PHOTO, b"no picture"], **SEEN), key=lambda line: line.number)
    assert lines[0].answer is not None
    assert lines[1].problem["status"] == 422
    assert len(asked.track([PHOTO, PHOTO], **SEEN, times_s="0,1").photos) == 2


def test_photos_of_one_place_are_answered_once(asked):
    answer = asked.together([PHOTO, PHOTO], heading_deg=[0, "unknown"], fov_deg=(360, 360), top_k=1)
    assert [photo.heading_source for photo in answer.photos] == ["given", "unknown"]
    assert len(answer.matches) == 1


def test_refusal_is_an_error_that_says_what_the_service_said(asked):
    with pytest.raises(ServiceProblem, match="422 The photo cannot be used") as refused:
        asked.localize(b"no picture")
    assert refused.value.status == 422
    assert refused.value.problem["type"] == "urn:clnet:problem:bad-image"
    with pytest.raises(ServiceProblem, match="404"):
        asked.explain(PHOTO, "18/1/1")
    with pytest.raises(ServiceProblem, match="422"):
        list(asked.batch([PHOTO], fov_deg=0))


def test_asynchronous_client_sends_its_key_and_reads_what_is_no_problem():
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, request.headers.get("authorization")))
        return httpx.Response(503, text="a proxy's page", headers={"Retry-After": "7"})

    async def ask():
        http = httpx.AsyncClient(base_url="http://service/geo/", transport=httpx.MockTransport(answer))
        async with AsyncClient("", key="secret", http=http) as client:
            for call in (
                client.info(),
                client.localize(PHOTO),
                client.track([PHOTO]),
                client.explain(PHOTO, "1/1/1"),
                client.together([PHOTO]),
            ):
                with pytest.raises(ServiceProblem) as refused:
                    await call
                assert (refused.value.status, refused.value.problem, refused.value.retry_after_s) == (503, {}, 7)
            with pytest.raises(ServiceProblem):
                [line async for line in client.batch([PHOTO])]

    asyncio.run(ask())
    assert {path for path, _ in seen} == {
        f"/geo/v1/{address}"
        for address in ("info", "localize", "localize/track", "explain", "localize/together", "localize/batch")
    }
    assert {key for _, key in seen} == {"Bearer secret"}
