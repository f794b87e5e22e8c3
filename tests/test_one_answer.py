"""One photo through Python, the command line and HTTP: the same matches, estimate and confidence, to the digit."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from indexer.__main__ import main
from indexer.confidence.calibration import Calibrations, Conditions
from indexer.confidence.storage import write_calibration
from indexer.index.manifest import Manifest
from indexer.localization.localizer import Localizer
from model.inputs.photo_view import GivenView
from service.app import create_app
from service.settings import Settings
from tests.indexer.bundles import write_bundle
from tests.indexer.candidates import CALIBRATION
from tests.indexer.tiny import make_tiles, picture


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bundle`, `photo.png`, and a calibrated `index` made by the command."""
    folder = tmp_path_factory.mktemp("answer")
    make_tiles(folder / "tiles")
    write_bundle(folder / "bundle")
    picture(5).resize((256, 128)).save(folder / "photo.png")
    made = ["--tiles", str(folder / "tiles"), "--out", str(folder / "index"), "--quiet"]
    assert main(["build", *made, "--checkpoint", str(folder / "bundle"), "--device", "cpu"]) == 0
    manifest = Manifest.read(folder / "index")
    fitted = replace(CALIBRATION, encoder=manifest.encoder["digest"], index=manifest.digest)
    write_calibration(folder / "index", fitted, b"png")
    return folder


def by_python(root: Path, given: GivenView) -> dict[str, object]:
    localizer = Localizer.open(root / "index", checkpoint=str(root / "bundle"), device="cpu")
    found = localizer.localize(root / "photo.png", given, top_k=7)
    matches = [(m.rank, m.tile.tile_id, m.score, m.heading_deg, m.tile.lat, m.tile.lon) for m in found.matches]
    answer = found.as_json()
    return {"matches": matches} | {name: answer[name] for name in ("estimate", "view", "warnings")}


def of_json(answer: dict) -> dict[str, object]:
    names = ("rank", "tile_id", "score", "heading_deg", "lat", "lon")
    matches = [tuple(match[name] for name in names) for match in answer["matches"]]
    return {"matches": matches} | {name: answer[name] for name in ("estimate", "view", "warnings")}


def by_command(root: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, object]:
    asked = ["--index", str(root / "index"), "--image", str(root / "photo.png"), "--top-k", "7", "--json", *flags]
    assert main(["search", *asked, "--checkpoint", str(root / "bundle"), "--device", "cpu"]) == 0
    return of_json(json.loads(capsys.readouterr().out))


def by_http(root: Path, **fields: str) -> dict[str, object]:
    app = create_app(Settings(index=root / "index", checkpoint=str(root / "bundle"), device="cpu", workers=1))
    with TestClient(app) as client:
        app.state.engine.loaded.wait(timeout=60)
        photo = {"panorama": ("photo.png", (root / "photo.png").read_bytes())}
        response = client.post("/localize", files=photo, data={"top_k": "7", **fields})
    assert response.status_code == 200, response.text
    return of_json(response.json())


@pytest.mark.parametrize(
    ("given", "flags", "fields", "calibrated"),
    [
        (GivenView(heading_deg=30.0), ["--heading-deg", "30"], {"heading_deg": "30"}, True),
        (GivenView(heading_deg="unknown"), ["--heading-deg", "unknown"], {"heading_deg": "unknown"}, False),
        (GivenView(), [], {}, False),
        (
            GivenView(heading_deg=0.0, fov_deg=90.0),
            ["--heading-deg", "0", "--fov-deg", "90"],
            {"heading_deg": "0", "fov_deg": "90"},
            False,
        ),
    ],
)
def test_every_way_in_gives_the_same_answer(root, capsys, given, flags, fields, calibrated) -> None:
    expected = by_python(root, given)
    assert len(expected["matches"]) == 7
    assert (expected["estimate"]["confidence"] is not None) == calibrated
    assert by_command(root, capsys, *flags) == expected
    assert by_http(root, **fields) == expected


def test_an_unknown_heading_is_answered_with_a_confidence_where_that_was_fitted(root, capsys, monkeypatch) -> None:
    (fitted,) = Localizer.open(root / "index", checkpoint=str(root / "bundle"), device="cpu").calibrations.each
    searched = replace(fitted, conditions=Conditions((360.0, 360.0), headings=24))
    monkeypatch.setattr("indexer.milvus.opening.load_calibrations", lambda *_: Calibrations((searched,)))
    answers = [by_python(root, GivenView(heading_deg="unknown"))]
    answers.append(by_command(root, capsys, "--heading-deg", "unknown"))
    answers.append(by_http(root, heading_deg="unknown"))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["estimate"]["confidence"] is not None
