"""Keys, host names, other origins, and the line of log: through the whole app."""

import asyncio
import json
import logging
from dataclasses import replace

import pytest

from service.access import AccessLogMiddleware
from service.keys import new_key
from service.logs import JsonLines
from service.metrics import Metrics
from tests.service.conftest import serving
from tests.service.pictures import encoded, panorama_of

PHOTO = {"panorama": encoded(panorama_of(1))}


@pytest.fixture
def locked(settings, tmp_path):
    """(client, key, key with a limit of one a minute)."""
    (key, line), (slow_key, slow_line) = new_key("anna"), new_key("slow", per_minute=1)
    (tmp_path / "keys.txt").write_text(f"{line}\n{slow_line}\n")
    with serving(replace(settings, api_keys=tmp_path / "keys.txt")) as client:
        yield client, key, slow_key


def test_without_a_key_only_the_page_and_health_answer(locked):
    client, key, _ = locked
    for address in ("/", "/web/app.js", "/healthz", "/readyz", "/v1/healthz", "/docs", "/openapi.json"):
        assert client.get(address).status_code == 200
    for address in ("/info", "/v1/info", "/metrics", "/v1/overview.png", "/tiles/1/0/0", "/web", "/docsx"):
        refused = client.get(address)
        assert refused.status_code == 401, address
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.json()["type"] == "urn:clnet:problem:no-key"
    for address in ("/localize", "/v1/localize", "/v1/localize/batch", "/v1/explain"):
        assert client.post(address, files=PHOTO).status_code == 401
    assert client.post("/localize", files=PHOTO, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert client.post("/localize", files=PHOTO, headers={"X-API-Key": key}).status_code == 200


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic x", "Bearer", ""])
def test_wrong_key_is_as_none(locked, header):
    assert locked[0].get("/info", headers={"Authorization": header}).status_code == 401


def test_key_with_a_limit_waits(locked):
    client, _, slow = locked
    ask = {"Authorization": f"Bearer {slow}"}
    assert client.get("/info", headers=ask).status_code == 200
    refused = client.get("/info", headers=ask)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_only_known_host_names_are_answered(settings):
    with serving(replace(settings, allowed_hosts="maps.example, 127.0.0.1")) as client:
        for host in ("maps.example", "MAPS.example:8000", "127.0.0.1:80"):
            assert client.get("/info", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "maps.example.evil", ""):
            assert client.get("/info", headers={"Host": host}).status_code == 421
        assert client.get("/readyz", headers={"Host": "10.0.0.7"}).status_code == 200


def test_other_origins_read_nothing_unless_they_are_named(settings, client):
    asked = {"Origin": "https://maps.example"}
    assert "access-control-allow-origin" not in client.get("/info", headers=asked).headers
    with serving(replace(settings, cors_origins="https://maps.example")) as other:
        assert other.get("/info", headers=asked).headers["access-control-allow-origin"] == "https://maps.example"
        evil = other.get("/info", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in evil.headers


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "if-none-match"])
def test_a_page_of_an_allowed_origin_may_send_what_the_service_reads_and_read_what_it_tells(settings, header):
    asked = {
        "Origin": "https://maps.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": header,
    }
    with serving(replace(settings, cors_origins="https://maps.example")) as other:
        assert other.options("/v1/localize", headers=asked).status_code == 200
        told = other.get("/v1/tiles/1/0/0", headers={"Origin": "https://maps.example"}).headers
        assert "ETag" in told["access-control-expose-headers"]


def test_each_request_is_a_line_with_its_id_and_the_reason_of_its_refusal(client, caplog):
    with caplog.at_level(logging.INFO, "service.access"):
        answer = client.post("/v1/localize", files={"panorama": b"no picture"}, headers={"X-Request-Id": "abc-1"})
        client.get("/healthz", headers={"X-Request-Id": "no\tgood id"})
    assert answer.headers["x-request-id"] == "abc-1"
    first, second = (json.loads(JsonLines().format(record)) for record in caplog.records)
    expected = {"request_id": "abc-1", "status": 422, "method": "POST", "route": "/localize", "reason": "bad-image"}
    assert expected.items() <= first.items()
    assert first["bytes"] > 10
    assert first["ms"] > 0
    assert second["status"] == 200
    assert second["request_id"] != "no\tgood id"
    assert "reason" not in second
    text = client.get("/metrics").text
    assert 'clnet_refusals_total{reason="bad-image"} 1.0' in text
    assert 'clnet_request_seconds_count{route="/localize"} 1.0' in text
    assert "clnet_build_info{version=" in text


def test_methods_and_addresses_that_clients_make_up_share_one_counter():
    async def read_all(_, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def discard(_):
        pass

    async def receive():
        return {"type": "http.request"}

    metrics = Metrics()
    counted = AccessLogMiddleware(read_all, metrics)
    for method in ("BREW", "FROB"):
        asyncio.run(counted({"type": "http", "method": method, "path": f"/{method}", "headers": []}, receive, discard))
    assert 'clnet_requests_total{method="other",route="other",status="200"} 2.0' in metrics.text().decode()
