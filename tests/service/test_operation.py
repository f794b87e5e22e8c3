"""What operators and browsers see: health, readiness, info, tiles, metrics, headers, the page, OpenAPI."""

import threading

import pytest
from fastapi.testclient import TestClient

from model.common.errors import BadCheckpoint
from service.app import create_app
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM, serving
from tests.service.pictures import encoded, panorama_of

TILE = f"/tiles/{ZOOM}/{WEST_X}/{NORTH_Y}"


def test_health_answers_while_the_model_is_still_loading(settings):
    opened = threading.Event()

    def slow_encoder(_):
        opened.wait(10)
        return FakeEncoder(), False

    app = create_app(settings, load_encoder=slow_encoder)
    with TestClient(app) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        waiting = client.get("/readyz")
        assert waiting.status_code == 503
        assert "Retry-After" in waiting.headers
        assert "being loaded" in waiting.json()["detail"]
        assert client.post("/localize", files={"panorama": encoded(panorama_of(1))}).status_code == 503
        opened.set()
        app.state.engine.loaded.wait(10)
        assert client.get("/readyz").json() == {"status": "ready"}


def test_index_of_another_encoder_is_never_ready_and_says_why(settings):
    failures = []
    app = create_app(settings, load_encoder=lambda _: (FakeEncoder("other"), False), on_failure=failures.append)
    with TestClient(app) as client:
        app.state.engine.loaded.wait(10)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert "Rebuild it" in response.json()["detail"]
        assert client.get("/healthz").status_code == 200
    assert [type(failure).__name__ for failure in failures] == ["IndexMismatch"]


def test_wrong_checkpoint_is_told_before_anything_is_made(settings):
    class Never:
        stage = ""

        def run(self):
            raise AssertionError("nothing should be made")

        def stop(self):
            pass

    def no_checkpoint(_):
        raise BadCheckpoint("weights are missing")

    app = create_app(settings, preparation=Never(), load_encoder=no_checkpoint)
    with TestClient(app) as client:
        app.state.engine.loaded.wait(10)
        assert "weights are missing" in client.get("/readyz").json()["detail"]


def test_step_that_makes_the_index_is_told_while_it_runs(settings):
    opened = threading.Event()

    class Making:
        stage = "`python -m indexer build` is running"

        def run(self):
            opened.wait(10)

        def stop(self):
            opened.set()

    app = create_app(settings, preparation=Making(), load_encoder=lambda _: (FakeEncoder(), False))
    with TestClient(app) as client:
        assert "indexer build" in client.get("/readyz").json()["detail"]
        opened.set()
        app.state.engine.loaded.wait(10)
        assert client.get("/readyz").status_code == 200


def test_folder_without_an_index_is_never_ready_and_says_why(tmp_path):
    with serving(Settings(index=tmp_path)) as client:
        assert "manifest.json is missing" in client.get("/readyz").json()["detail"]


def test_info_tells_model_index_and_where_its_tiles_are(client):
    info = client.get("/info").json()
    assert info["model"] == {"name": "fake", "digest": FakeEncoder().digest}
    assert (info["index"]["name"], info["index"]["tiles"]) == ("small-index", 16)
    assert info["zooms"] == [ZOOM]
    assert info["bounds"][0] < info["bounds"][2]


def test_tile_is_the_very_file_of_the_corpus_with_its_media_type(client, tile_folder):
    response = client.get(TILE)
    assert response.content == (tile_folder / str(ZOOM) / str(WEST_X) / f"{NORTH_Y}.png").read_bytes()
    assert response.headers["content-type"] == "image/png"
    assert "max-age" in response.headers["cache-control"]


def test_tile_that_the_client_has_is_not_sent_again(client):
    etag = client.get(TILE).headers["etag"]
    again = client.get(TILE, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(TILE, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "address",
    [f"/tiles/{ZOOM}/0/0", "/tiles/0/0/0", "/tiles/99/1/1", "/tiles/18/-1/5", f"/tiles/5/{10**30}/1", "/tiles/3/8/0"],
)
def test_absent_tile_is_a_404_problem(client, address):
    response = client.get(address)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_tile_address_that_is_no_number_is_refused(client):
    assert client.get("/tiles/18/x/1").status_code == 422
    assert client.get("/tiles/18/1/..%2f..%2fetc").status_code in (404, 422)


def test_without_its_tiles_the_index_still_localizes(tmp_path, tile_folder):
    import shutil

    from indexer.building.build import build_index
    from indexer.tiles.sources.open_source import open_source

    copy = shutil.copytree(tile_folder, tmp_path / "tiles")
    source = open_source(copy)
    build_index(source, FakeEncoder(), tmp_path / "index")
    source.close()
    shutil.rmtree(copy)
    with serving(Settings(index=tmp_path / "index")) as client:
        answer = client.post("/localize", files={"panorama": encoded(panorama_of(1))}).json()
        assert answer["matches"][0]["image_url"] is None
        assert client.get("/info").json()["zooms"] == []
        assert client.get(TILE).status_code == 404


def test_metrics_count_requests_by_route_template_and_time_each_step(client):
    client.post("/localize", files={"panorama": encoded(panorama_of(1))}, data={"heading_deg": "0"})
    client.get(TILE)
    client.get("/made-up-by-a-client")
    text = client.get("/metrics").text
    assert 'clnet_requests_total{method="POST",route="/localize",status="200"} 1.0' in text
    assert 'route="/tiles/{z}/{x}/{y}",status="200"' in text
    assert "made-up" not in text
    for step in ("wait", "decode", "embed", "search", "total"):
        assert f'clnet_step_seconds_count{{step="{step}"}} 1.0' in text
    assert "clnet_index_tiles 16.0" in text
    assert "clnet_queue_depth 0.0" in text
    assert "clnet_batch_rows_sum 1.0" in text


@pytest.mark.parametrize("address", ["/", "/web/app.js", "/healthz", "/nowhere", TILE])
def test_every_answer_carries_security_headers(client, address):
    headers = client.get(address).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_page_needs_nothing_from_elsewhere(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("style.css", "app.js", "map.js", "icon.svg"):
        text = client.get(f"/web/{name}").text
        assert "://" not in text.replace("http://www.w3.org/", "")
    assert "://" not in page.text
    assert "style=" not in page.text
    assert "<script>" not in page.text


def test_openapi_describes_every_route_field_and_error(client):
    schema = client.get("/openapi.json").json()
    operations = {path: set(methods) for path, methods in schema["paths"].items()}
    assert operations == {
        "/v1/localize": {"post"},
        "/v1/localize/together": {"post"},
        "/v1/localize/batch": {"post"},
        "/v1/localize/track": {"post"},
        "/v1/explain": {"post"},
        "/v1/tiles/{z}/{x}/{y}": {"get"},
        "/v1/tile/{tile_id}": {"get"},
        "/v1/overview.png": {"get"},
        "/v1/tilejson": {"get"},
        "/v1/healthz": {"get"},
        "/v1/readyz": {"get"},
        "/v1/info": {"get"},
        "/v1/metrics": {"get"},
    }
    localize = schema["paths"]["/v1/localize"]["post"]
    assert set(localize["responses"]) >= {"200", "408", "413", "422", "503"}
    assert set(localize["responses"]["200"]["content"]) == {
        "application/json",
        "application/geo+json",
        "text/csv",
        "application/vnd.google-earth.kml+xml",
    }
    assert set(localize["responses"]["422"]["content"]) == {"application/problem+json"}
    form = schema["components"]["schemas"]["LocalizeForm"]
    assert form["required"] == ["panorama"]
    assert set(form["properties"]) == {
        "panorama",
        "top_k",
        "heading_deg",
        "fov_deg",
        "bbox",
        "near",
        "radius_m",
        "since",
    }
    assert all("description" in field for field in form["properties"].values())
