"""Spans, kept in memory by OpenTelemetry's own exporter."""

import sys
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from model.common.errors import BadConfig
from service.app import create_app
from service.telemetry import otlp_tracing, tell_steps
from tests.fakes import FakeEncoder
from tests.service.pictures import encoded, panorama_of

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra otel is not installed")


def test_an_answer_is_a_span_with_its_route_and_the_seconds_of_its_steps(settings):
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    app = create_app(settings, load_encoder=lambda _: (FakeEncoder(), False), tracing=provider)
    with TestClient(app) as client:
        app.state.engine.loaded.wait(30)
        assert client.post("/v1/localize", files={"panorama": encoded(panorama_of(6))}).status_code == 200
        assert client.get("/v1/tile/none").status_code == 404
        spans = kept.get_finished_spans()
    told = {span.attributes.get("http.route"): span.attributes for span in spans if span.kind.name == "SERVER"}
    answered = told["/v1/localize"]
    assert answered["http.response.status_code"] == 200
    assert all(answered[f"clnet.{step}_s"] >= 0 for step in ("decode", "embed", "search", "wait"))
    assert [one["http.response.status_code"] for route, one in told.items() if route != "/v1/localize"] == [404]
    assert not [value for span in spans for value in span.attributes.values() if "panorama" in str(value)]


def test_without_a_span_nothing_is_told():
    tell_steps({"decode": 1.0})


@pytest.mark.parametrize("endpoint", ["localhost:4318", "collector"])
def test_an_address_that_is_none_is_named(endpoint):
    with pytest.raises(BadConfig, match="is no address; give one such as http"):
        otlp_tracing(endpoint)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(BadConfig, match="install the extra `otel`"):
        otlp_tracing("http://127.0.0.1:4318")


def test_a_collector_that_is_not_there_holds_nobody_up(settings):
    app = create_app(
        replace(settings, otlp_endpoint="http://127.0.0.1:9"), load_encoder=lambda _: (FakeEncoder(), False)
    )
    with TestClient(app) as client:
        app.state.engine.loaded.wait(30)
        assert client.get("/v1/healthz").status_code == 200
