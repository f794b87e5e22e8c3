from dataclasses import replace

from fastapi.testclient import TestClient

from service.app import create_app
from service.errors import PROBLEM_JSON
from tests.fakes import FakeEncoder


def app_of(settings, **more):
    return create_app(settings, load_encoder=lambda _: (FakeEncoder(), False), **more)


def test_every_answer_passes_the_middleware_errors_too(settings):
    with TestClient(app_of(settings)) as client:
        for path, status in (("/healthz", 200), ("/nowhere", 404)):
            answer = client.get(path)
            assert answer.status_code == status
            assert "default-src 'self'" in answer.headers["content-security-policy"]
        counted = client.get("/metrics").text
    assert 'clnet_requests_total{method="GET",route="/healthz",status="200"} 1.0' in counted


def test_a_body_above_the_limit_is_refused_before_it_is_read(settings):
    small = replace(settings, max_upload_mb=1)
    with TestClient(app_of(small)) as client:
        answer = client.post("/localize", files={"panorama": ("photo", bytes(1_100_000))})
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM_JSON)


def test_preparation_is_stopped_with_the_app(settings):
    done = []

    class Preparing:
        stage = ""

        def run(self):
            done.append("run")

        def stop(self):
            done.append("stop")

    app = app_of(settings, preparation=Preparing())
    with TestClient(app):
        app.state.engine.loaded.wait(30)
    assert done == ["run", "stop"]
