"""The demo: what it prints, and the whole of it as a process."""

import os
import socket
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from model.common.geo import LatLon, offset_m
from service.client import Client
from service.demo.__main__ import (
    DemoFailed,
    Outcome,
    Shot,
    _service,
    _wait_until_ready,
    main,
    read_shots,
    report,
)
from service.examples import ANSWERS
from service.schemas import LocalizeAnswer

EXAMPLE = ANSWERS["localize"]["application/json"]
ROOT = Path(__file__).parents[3]
PLACE = LatLon(-48.88, -123.39)


def outcome(east_m: float, lead: float = 0.1, confidence: float | None = None) -> Outcome:
    """An answer whose best tile is 100 m wide around a point east of the true place."""
    middle = offset_m(PLACE, east_m=east_m, north_m=0.0)
    corner = offset_m(middle, east_m=50.0, north_m=50.0)
    bounds = [2 * middle.lon - corner.lon, 2 * middle.lat - corner.lat, corner.lon, corner.lat]
    best, second = deepcopy(EXAMPLE["matches"][0]), deepcopy(EXAMPLE["matches"][0])
    best |= {"tile_id": "18/1/2", "score": 0.5, "bounds": bounds}
    second |= {"tile_id": "18/1/3", "score": 0.5 - lead}
    estimate = EXAMPLE["estimate"] | {"lat": middle.lat, "lon": middle.lon, "confidence": confidence}
    index = EXAMPLE["index"] | {"tiles": 9}
    answer = EXAMPLE | {"matches": [best, second], "estimate": estimate, "index": index}
    return Outcome(Shot(Path(f"{east_m:.0f}.jpg"), PLACE), LocalizeAnswer.model_validate(answer))


def test_the_report_lists_every_panorama_and_shows_the_surest_in_full():
    text = report([outcome(900.0), outcome(12.0, lead=0.3), outcome(60.0)], [], "http://127.0.0.1:1")
    assert [line.split()[0] for line in text.splitlines() if " m" in line and ".jpg" in line] == [
        "900.jpg",
        "12.jpg",
        "60.jpg",
    ]
    assert "1 of 3 placed on the right tile of 9; median distance 60 m" in text
    assert "panorama    12.jpg" in text
    assert "distance    12.0 m" in text
    assert "synthetic" in text
    assert "http://127.0.0.1:1" in text
    assert "confidence  none" in text
    assert "elsewhere" not in text


def test_the_surest_is_the_one_of_most_confidence_and_photos_from_elsewhere_are_rejected_or_not():
    inside = [outcome(900.0, lead=0.3, confidence=0.2), outcome(12.0, confidence=0.93)]
    outside = [outcome(9000.0, confidence=0.04), outcome(8000.0, confidence=0.7)]
    text = report(inside, outside, "http://127.0.0.1:1")
    assert "panorama    12.jpg" in text
    assert "confidence  93%" in text
    assert "1 of 2 rightly rejected" in text


def test_no_confidence_is_printed_as_certainty():
    text = report([outcome(12.0, confidence=0.9996)], [outcome(9000.0, confidence=0.0004)], "http://127.0.0.1:1")
    assert ">99%" in text
    assert "<1%" in text
    assert "100%" not in text


def test_tiles_without_a_panorama_are_no_shots(tmp_path):
    manifest = tmp_path / "pairs.csv"
    manifest.write_text("query,reference,lat,lon\np.jpg,t.jpg,1.5,2.5\n,u.jpg,,\n")
    assert read_shots(manifest) == [Shot(tmp_path / "p.jpg", LatLon(1.5, 2.5))]


def test_a_service_that_is_stopped_before_it_serves_is_said_to_have_been_stopped(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _service(tmp_path, port) as process:
        process.terminate()
        with pytest.raises(DemoFailed, match="the service was stopped by SIGTERM; start the demo again"):
            _wait_until_ready(Client(f"http://127.0.0.1:{port}"), process)
    with pytest.raises(DemoFailed, match="the service ended with 3; its own message above says why"):
        _wait_until_ready(Client("http://127.0.0.1:9"), subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]))


def test_a_port_in_use_is_named_before_anything_is_made(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1]), "--data", str(tmp_path / "d")]) == 1
    assert "cannot listen on 127.0.0.1 port" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_from_nothing_to_a_localized_panorama_and_again_from_what_is_there(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "service.demo", "--once", "--data", str(tmp_path / "d"), "--port", port]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CLNET_DEMO_SIDE": "3"}
    runs = [
        subprocess.run(command, env=environment, cwd=ROOT, text=True, capture_output=True, check=True, timeout=300)
        for _ in range(2)
    ]
    manifest = tmp_path / "d" / "demo" / "index" / "manifest.json"
    assert "first run" in runs[0].stdout
    assert "first run" not in runs[1].stdout
    assert all("distance" in run.stdout for run in runs)
    assert manifest.is_file()
