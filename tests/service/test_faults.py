"""Faults of the server where several photos come at once: a 5xx before the first line, else told in the line."""

import asyncio
import json
import os
import shutil
import tempfile
from dataclasses import replace

import pytest

from service.concurrency.decode_lanes import DecodeLanes
from service.errors import WorkerLost
from service.forms import MOST_IN_MEMORY
from tests.service.conftest import HookedEncoder, serving
from tests.service.pictures import encoded, panorama_of

SEEN = {"heading_deg": "0", "fov_deg": "360"}
GOOD = [(f"{seed}.png", encoded(panorama_of(seed))) for seed in (1, 5, 6)]
DEADLY = "2.png", encoded(panorama_of(2))
BAD = "bad.png", b"no picture"


def post(client, way, photos):
    return client.post(f"/v1/localize/{way}", files=[("panorama", photo) for photo in photos], data=SEEN)


def lines_of(answer):
    return {line["name"]: line["problem"] for line in map(json.loads, answer.text.splitlines())}


def told(caplog, text):
    return sum(text in record.getMessage() for record in caplog.records if record.name == "service.errors")


@pytest.fixture
def index(settings, tmp_path):
    return shutil.copytree(settings.index, tmp_path / "served")


@pytest.fixture
def client_of_copy(settings, index):
    with serving(replace(settings, index=index)) as client:
        yield client


@pytest.fixture
def _decoder_dies_of_one(monkeypatch):
    """A decoder that is killed whenever it meets one photo, which is no fault of that photo's."""
    prepare = DecodeLanes.prepare

    async def prepare_or_die(self, read, given, inputs):
        if await read() == DEADLY[1]:
            raise WorkerLost("the decoding process died twice")
        return await prepare(self, read, given, inputs)

    monkeypatch.setattr(DecodeLanes, "prepare", prepare_or_die)


@pytest.mark.parametrize("way", ["batch", "track"])
def test_an_index_that_was_cut_is_a_503_with_one_line_of_log(client_of_copy, index, way, caplog):
    os.truncate(index / "embeddings.npy", 300)
    refused = post(client_of_copy, way, GOOD)
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert refused.json()["type"] == "urn:clnet:problem:index-damaged"
    assert int(refused.headers["retry-after"]) > 0
    assert "embeddings" not in refused.text
    assert told(caplog, "embeddings.npy was changed") == 1
    assert 'status="503"' in client_of_copy.get("/metrics").text
    assert client_of_copy.get("/healthz").status_code == 200


@pytest.fixture
def _cut_after_the_first_line(index, monkeypatch):
    """The index is cut once the bad photo has been refused, before any other is searched for."""
    prepare, refused = DecodeLanes.prepare, asyncio.Event()

    async def prepare_in_order(self, read, given, inputs):
        if await read() == BAD[1]:
            try:
                return await prepare(self, read, given, inputs)
            finally:
                refused.set()
        await refused.wait()
        await asyncio.to_thread(os.truncate, index / "embeddings.npy", 300)
        return await prepare(self, read, given, inputs)

    monkeypatch.setattr(DecodeLanes, "prepare", prepare_in_order)


@pytest.mark.usefixtures("_cut_after_the_first_line")
def test_an_index_that_is_cut_once_lines_were_sent_is_told_in_the_line_the_log_and_the_count(client_of_copy, caplog):
    answer = post(client_of_copy, "batch", [BAD, GOOD[0]])
    counted = client_of_copy.get("/metrics").text
    assert answer.status_code == 200
    problems = lines_of(answer)
    assert (problems["bad.png"]["status"], problems["1.png"]["status"]) == (422, 503)
    assert problems["1.png"]["type"] == "urn:clnet:problem:index-damaged"
    assert told(caplog, "embeddings.npy was changed") == 1
    assert 'clnet_refusals_total{reason="index-damaged"} 1.0' in counted
    assert 'clnet_refusals_total{reason="bad-image"} 1.0' in counted


@pytest.mark.parametrize("way", ["batch", "track"])
def test_a_defect_that_meets_every_photo_is_a_500_that_says_nothing_of_the_inside(settings, way):
    def break_down(_) -> None:
        raise ZeroDivisionError("/secret/path")

    with serving(settings, HookedEncoder(break_down)) as client:
        refused = post(client, way, GOOD)
    assert (refused.status_code, refused.json()["type"]) == (500, "urn:clnet:problem:internal-error")
    assert "secret" not in refused.text


@pytest.mark.parametrize("way", ["batch", "track"])
def test_a_full_spool_is_a_503_and_the_next_photos_are_answered(client, way, monkeypatch, tmp_path, caplog):
    large = "large.png", GOOD[0][1] + bytes(MOST_IN_MEMORY)
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
        refused = post(client, way, [large, GOOD[1]])
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:clnet:problem:storage-fault")
    assert any("cannot be kept" in record.getMessage() for record in caplog.records)
    assert post(client, way, GOOD).status_code == 200


@pytest.mark.usefixtures("_decoder_dies_of_one")
@pytest.mark.parametrize("photos", [[DEADLY, GOOD[0], GOOD[1]], [GOOD[0], DEADLY, GOOD[1]]])
def test_a_decoder_that_died_of_one_photo_spoils_no_other_line(client, photos, caplog):
    answer = post(client, "batch", photos)
    assert answer.status_code == 200
    problems = lines_of(answer)
    assert (problems["1.png"], problems["5.png"]) == (None, None)
    assert (problems["2.png"]["status"], problems["2.png"]["type"]) == (503, "urn:clnet:problem:worker-lost")
    assert told(caplog, "died twice") == 1


@pytest.mark.usefixtures("_decoder_dies_of_one")
def test_a_decoder_that_died_is_a_503_of_a_whole_track_and_of_a_batch_without_another_answer(client):
    for way, photos in (("track", [GOOD[0], DEADLY, GOOD[1]]), ("batch", [DEADLY, DEADLY])):
        refused = post(client, way, photos)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:clnet:problem:worker-lost")
        assert refused.headers["retry-after"] == "5"


def test_more_photos_than_the_line_takes_follow_one_another(settings):
    with serving(replace(settings, workers=1, queue_limit=1)) as client:
        answer = post(client, "batch", GOOD * 3)
        assert answer.status_code == 200
        assert [json.loads(line)["problem"] for line in answer.text.splitlines()] == [None] * 9
