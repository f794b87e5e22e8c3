"""A service over a collection: what it answers, what it does not, and a database that goes and comes back."""

import threading

import pytest

from indexer.common.errors import DatabaseAway
from indexer.confidence.calibration import Calibrations
from indexer.index.tile_index import TileIndex
from indexer.milvus.address import parse_milvus
from indexer.milvus.connection import Connection
from service import engine
from service.app import create_app
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import serving
from tests.service.pictures import encoded, panorama_of

pytest.importorskip("pymilvus", reason="no Milvus client: pip install clnet-geolocalization[milvus]")
pytest.importorskip("milvus_lite", reason="no Milvus Lite: pip install clnet-geolocalization[milvus]")

ASK = {"heading_deg": "0", "fov_deg": "360"}


@pytest.fixture(scope="module")
def in_database(index_folder, tmp_path_factory) -> Settings:
    from indexer.milvus.publish import publish_index, search_way

    address = parse_milvus(f"milvus://{tmp_path_factory.mktemp('lite')}/city.db#city")
    index = TileIndex.open(index_folder)
    publish_index(index, address, way=search_way("FLAT", 16), calibrations=Calibrations())
    return Settings(index=address, workers=1, max_batch=8)


def post(client, **data):
    return client.post("/v1/localize", files={"panorama": encoded(panorama_of(5))}, data=ASK | data)


def test_it_answers_as_over_the_folder(in_database, settings):
    with serving(settings) as client:
        wanted = post(client).json()
    with serving(in_database) as client:
        asked = post(client).json()
        assert client.get("/readyz").status_code == 200
        assert client.get("/info").json()["overview"] is None
        tile = asked["matches"][0]["tile_id"]
        assert client.get(f"/v1/tile/{tile}").status_code == 404
        explained = client.post(
            "/v1/explain", files={"panorama": encoded(panorama_of(5))}, data=ASK | {"tile_id": tile}
        )
        assert explained.status_code == 404
        assert "not on this disk" in explained.json()["detail"]
    assert [one["tile_id"] for one in asked["matches"]] == [one["tile_id"] for one in wanted["matches"]]
    assert asked["estimate"]["lat"] == pytest.approx(wanted["estimate"]["lat"], abs=1e-6)
    assert asked["index"]["digest"] == wanted["index"]["digest"]


def test_photos_of_one_place_are_a_422(in_database):
    with serving(in_database) as client:
        photos = [("panorama", ("a.png", encoded(panorama_of(seed)))) for seed in (5, 6)]
        answer = client.post("/v1/localize/together", files=photos)
        assert answer.status_code == 422, answer.json()
        assert answer.json()["type"].endswith("not-in-database")


def test_a_database_that_goes_is_a_503_until_it_is_back(in_database, monkeypatch):
    call = Connection.call
    away = threading.Event()

    def sometimes(self, method, *args, **options):
        if away.is_set():
            raise DatabaseAway("Milvus at http://10.0.0.1:19530 does not answer: connection refused")
        return call(self, method, *args, **options)

    monkeypatch.setattr(Connection, "call", sometimes)
    with serving(in_database) as client:
        assert post(client).status_code == 200
        away.set()
        answer = post(client)
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:clnet:problem:database-away"
        assert answer.headers["Retry-After"] == "5"
        assert "10.0.0.1" not in answer.text
        away.clear()
        assert post(client).status_code == 200


def test_it_waits_at_the_start_for_a_database(in_database, monkeypatch):
    monkeypatch.setattr(engine, "_AGAIN_S", 0.05)
    opened, there = engine.open_index, threading.Event()

    def late(*args, **options):
        if not there.is_set():
            raise DatabaseAway("not there")
        return opened(*args, **options)

    monkeypatch.setattr(engine, "open_index", late)
    app = create_app(in_database, load_encoder=lambda _: (FakeEncoder(), False))
    from fastapi.testclient import TestClient

    with TestClient(app, raise_server_exceptions=False) as client:
        assert not app.state.engine.loaded.wait(timeout=2)
        refused = client.get("/readyz")
        assert refused.status_code == 503
        assert "asked again" in refused.json()["detail"]
        there.set()
        assert app.state.engine.loaded.wait(timeout=30)
        assert post(client).status_code == 200


def test_it_can_be_stopped_while_it_waits(in_database, monkeypatch):
    monkeypatch.setattr(engine, "open_index", lambda *_, **__: (_ for _ in ()).throw(DatabaseAway("not there")))
    app = create_app(in_database, load_encoder=lambda _: (FakeEncoder(), False))
    from fastapi.testclient import TestClient

    with TestClient(app) as client:
        assert client.get("/healthz").status_code == 200
    assert app.state.engine.state in ("failed", "stopping")
