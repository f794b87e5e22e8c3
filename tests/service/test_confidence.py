"""What a calibrated index adds to an answer, and which questions it does not speak about."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from indexer.confidence.calibration import Conditions
from indexer.confidence.storage import read_calibrations, write_calibration
from indexer.index.tile_index import TileIndex
from service.settings import Settings
from tests.indexer.candidates import CALIBRATION
from tests.service.conftest import serving
from tests.service.pictures import encoded, panorama_of

PHOTO_IMAGE = panorama_of(6)
PHOTO = encoded(PHOTO_IMAGE)


@pytest.fixture
def calibrated(index_folder, tmp_path) -> Path:
    folder = Path(shutil.copytree(index_folder, tmp_path / "calibrated"))
    manifest = TileIndex.open(folder).manifest
    write_calibration(folder, replace(CALIBRATION, encoder=manifest.encoder["digest"], index=manifest.digest), b"png")
    return folder


def estimate(client, **fields):
    asked = {"heading_deg": "0", "fov_deg": "360", **fields}
    response = client.post("/localize", files={"panorama": ("photo", PHOTO)}, data=asked)
    assert response.status_code == 200, response.text
    return response.json()["estimate"]


def test_answer_carries_the_calibrated_confidence(calibrated):
    with serving(Settings(index=calibrated, workers=1)) as client:
        answer = estimate(client)
        assert answer["confidence"] == pytest.approx(0.73, abs=0.01)  # logistic of 2 * 1.0 - 1
        assert answer["confidence_radius_m"] == 100.0
        assert answer["radius_m"] == 25.0
        assert answer["no_confidence_because"] is None
        assert estimate(client, top_k="1") == estimate(client, top_k="16") == answer


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"heading_deg": "unknown"}, "this was asked with unknown headings (24 tried)"),
        ({"fov_deg": "90"}, "see the warning"),
    ],
)
def test_questions_it_was_not_fitted_on_get_none_and_the_reason(calibrated, fields, reason):
    with serving(Settings(index=calibrated, workers=1)) as client:
        answer = estimate(client, **fields)
        assert (answer["confidence"], answer["confidence_radius_m"]) == (None, None)
        assert reason in answer["no_confidence_because"]


def test_a_search_of_an_area_has_the_confidence_of_one_of_all_tiles(calibrated):
    with serving(Settings(index=calibrated, workers=1)) as client:
        assert estimate(client, bbox="-180,-85,180,85") == estimate(client)


def test_an_index_without_calibration_says_so_before_the_place(client):
    answer = estimate(client, bbox="-180,-85,180,85")
    assert list(answer)[0:3] == ["confidence", "confidence_radius_m", "no_confidence_because"]
    assert answer["no_confidence_because"].startswith("the index is not calibrated")


def test_what_speaks_against_a_photo_speaks_against_confidence(calibrated):
    square = encoded(PHOTO_IMAGE.resize((64, 64)))
    blank = encoded(Image.new("RGB", (128, 64), (250, 250, 250)))
    with serving(Settings(index=calibrated, workers=1)) as client:
        for photo, words in ((square, "give its horizontal field of view"), (blank, "shows next to nothing")):
            asked = {"heading_deg": "0", "fov_deg": "360"}
            answer = client.post("/localize", files={"panorama": ("photo", photo)}, data=asked).json()
            assert words in answer["warnings"][0]
            assert answer["estimate"]["confidence"] is None


def test_a_calibration_with_other_headings_is_told(calibrated, caplog):
    index = TileIndex.open(calibrated)
    (fitted,) = read_calibrations(calibrated, index.manifest).each
    searched = replace(fitted, conditions=Conditions((360.0, 360.0), headings=24))
    write_calibration(calibrated, searched, b"png")
    with serving(Settings(index=calibrated, workers=1)) as client:
        assert estimate(client, heading_deg="unknown")["confidence"] is not None
    assert "headings tried" not in caplog.text
    with serving(Settings(index=calibrated, workers=1, headings=8)) as client:
        assert estimate(client, heading_deg="unknown")["confidence"] is None
    assert "was calibrated with 24 headings tried, the service tries 8" in caplog.text


def test_the_index_keeps_its_identity(calibrated, index_folder):
    with serving(Settings(index=calibrated, workers=1)) as client:
        assert client.get("/info").json()["index"]["digest"] == TileIndex.open(index_folder).digest


def test_a_foreign_calibration_is_not_used(calibrated, caplog):
    write_calibration(calibrated, CALIBRATION, b"png")
    with serving(Settings(index=calibrated, workers=1)) as client:
        assert estimate(client)["confidence"] is None
    assert "was made for another encoder" in caplog.text
