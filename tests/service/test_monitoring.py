"""What docker/monitoring asks for is what a running service exports, and the documents name nothing else."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.metrics import Metrics
from tests.service.pictures import encoded, panorama_of

_ROOT = Path(__file__).parents[2]
_MONITORING = _ROOT / "docker" / "monitoring"
_DASHBOARD = json.loads((_MONITORING / "grafana" / "dashboards" / "clnet.json").read_text())
_NAME = re.compile(r"\b(?:clnet|process)_\w+")


@pytest.fixture
def exported(client) -> dict[str, set[str]]:
    """Name of each series -> its labels, once everything has happened that is counted."""
    assert client.post("/v1/localize", files={"panorama": encoded(panorama_of(3))}).status_code == 200
    assert client.post("/v1/localize", files={"panorama": b"no photo"}).status_code == 422
    metrics: Metrics = client.app.state.metrics
    metrics.swapped("done")
    told = client.get("/v1/metrics").text
    samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
    return {one.name: set(one.labels) for one in samples}


def expressions() -> list[str]:
    return [target["expr"] for panel in _DASHBOARD["panels"] for target in panel["targets"]]


def test_the_dashboard_asks_only_for_what_is_exported(exported):
    assert len(expressions()) >= 10
    for expression in expressions():
        names = _NAME.findall(expression)
        assert names
        for name in names:
            assert name in exported, expression
        asked = {label for labels in re.findall(r"by \(([\w, ]+)\)", expression) for label in labels.split(", ")}
        matched = set(re.findall(r"(\w+)=~?\"", expression))
        assert asked | matched <= set().union(*(exported[name] for name in names)), expression


@pytest.mark.usefixtures("exported")
def test_the_routes_that_the_dashboard_shows_are_counted_under_that_name(client):
    patterns = {found for expression in expressions() for found in re.findall(r'route=~"([^"]+)"', expression)}
    routes = set(re.findall(r'route="([^"]+)"', client.get("/v1/metrics").text))
    assert patterns
    for pattern in patterns:
        assert any(re.fullmatch(pattern, route) for route in routes), (pattern, routes)


def test_prometheus_reads_an_address_that_the_service_answers(client):
    config = yaml.safe_load((_MONITORING / "prometheus.yml").read_text())
    compose = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())
    (job,) = config["scrape_configs"]
    assert client.get(job["metrics_path"]).headers["content-type"].startswith("text/plain; version=0.0.4")
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert host in compose["services"]
    assert any(published.endswith(f":{port}") for published in compose["services"][host]["ports"])


def test_grafana_finds_its_source_and_its_dashboard():
    (source,) = yaml.safe_load((_MONITORING / "grafana" / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in _DASHBOARD["panels"]} == {source["uid"]}
    services = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())["services"]
    assert source["url"] == "http://prometheus:9090"
    assert services["prometheus"]["profiles"] == services["grafana"]["profiles"] == ["monitoring"]
    for service in ("prometheus", "grafana"):
        for volume in services[service]["volumes"]:
            here = volume.split(":")[0]
            assert not here.startswith(".") or (_ROOT / here).exists(), volume


def test_the_document_names_what_is_exported(exported):
    named = set(_NAME.findall((_ROOT / "docs" / "operations.md").read_text()))
    families = {re.sub(r"_(?:bucket|sum|count|created)$", "", name) for name in exported} | set(exported)
    assert len(named) >= 8
    assert named <= families
