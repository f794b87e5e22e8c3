"""Another index under a running service: no request fails, and what does not fit is left where it is."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM, seed_of, serving
from tests.service.pictures import encoded, panorama_of

ASK = {"heading_deg": "0", "fov_deg": "360"}


@pytest.fixture
def swapped(settings, tile_folder, tmp_path):
    """(client, a function that puts another index in the place of the served one)."""
    served = shutil.copytree(settings.index, tmp_path / "served")
    smaller = shutil.copytree(tile_folder, tmp_path / "smaller")
    shutil.rmtree(smaller / str(ZOOM) / str(WEST_X))

    def put(encoder) -> None:
        source = open_source(smaller)
        build_index(source, encoder, tmp_path / "new")
        source.close()
        served.rename(tmp_path / "old")
        (tmp_path / "new").rename(served)

    with serving(replace(settings, index=served, follow_s=0.0)) as client:
        yield client, put


def post(client, seed=5):
    return client.post("/localize", files={"panorama": encoded(panorama_of(seed))}, data=ASK)


def test_new_index_answers_after_a_swap_and_no_request_fails_meanwhile(swapped):
    client, put = swapped
    before = client.get("/info").json()["index"]
    stop = threading.Event()

    def ask_on() -> set[int]:
        statuses = set()
        while not stop.is_set():
            statuses.add(post(client).status_code)
        return statuses

    with ThreadPoolExecutor(3) as clients:
        asking = [clients.submit(ask_on) for _ in range(3)]
        put(FakeEncoder())
        client.app.state.engine.swap()
        post(client)
        stop.set()
        assert set.union(*(one.result() for one in asking)) == {200}
    after = client.get("/info").json()["index"]
    assert (before["tiles"], after["tiles"]) == (16, 12)
    assert after["digest"] != before["digest"]
    gone = f"{ZOOM}/{WEST_X}/{NORTH_Y}"
    tiles = {match["tile_id"] for match in post(client, seed_of(WEST_X, NORTH_Y)).json()["matches"]}
    assert gone not in tiles
    assert 'clnet_index_swaps_total{outcome="done"} 1.0' in client.get("/metrics").text


def test_index_of_another_encoder_is_not_taken(swapped):
    client, put = swapped
    put(FakeEncoder("other"))
    client.app.state.engine.swap()
    assert client.get("/info").json()["index"]["tiles"] == 16
    assert post(client).status_code == 200
    assert client.get("/readyz").status_code == 200
    assert 'clnet_index_swaps_total{outcome="failed"} 1.0' in client.get("/metrics").text


def test_vectors_cut_short_are_a_503_with_a_log_line_and_the_process_lives(swapped, caplog):
    import os

    client, _ = swapped
    os.truncate(client.app.state.settings.index / "embeddings.npy", 300)
    answer = post(client)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:clnet:problem:index-damaged"
    assert "embeddings" not in answer.text
    assert any("embeddings.npy was changed" in record.message for record in caplog.records)
    assert client.get("/healthz").status_code == 200


def test_an_index_that_was_cut_makes_the_service_not_ready_until_it_is_restored(swapped):
    import os
    import shutil

    client, _ = swapped
    index = client.app.state.settings.index
    shutil.copytree(index, index.with_name("whole"))
    os.truncate(index / "embeddings.npy", 300)
    unready = client.get("/readyz")
    assert (unready.status_code, unready.json()["type"]) == (503, "urn:clnet:problem:index-damaged")
    shutil.rmtree(index)
    index.with_name("whole").rename(index)
    client.app.state.engine.swap()
    assert client.get("/readyz").status_code == 200
    assert post(client).status_code == 200
