import json
import os
from dataclasses import replace
from pathlib import Path

from indexer.localization.photo_answer import FIELDS, PhotoAnswer
from tests.indexer.localization.answers import EVERY, FAILED, GOOD, UNSURE, found


def test_a_row_has_every_column_and_its_type() -> None:
    for answer in EVERY:
        row = answer.row()
        assert list(row) == list(FIELDS)
        for name, value in row.items():
            assert value is None or type(value) is FIELDS[name], name


def test_a_row_says_where_and_how_surely() -> None:
    assert GOOD.row() == {
        "photo": "some/café, 1.jpg", "lat": 47.5, "lon": 8.25, "radius_m": 31.2, "confidence": 0.75,
        "confidence_radius_m": 75.0, "no_confidence_because": None, "heading_deg": 90.0, "heading_source": "given",
        "fov_deg": 360.0, "fov_source": "given", "tile_id": "tile-7", "date": "2026-06-01", "score": 0.625,
        "warnings": None, "error": None,
    }  # fmt: skip


def test_angles_are_told_with_no_more_digits_than_mean_anything() -> None:
    answer = found()
    view = replace(answer.view, heading_deg=137.20000000000005, fov_deg=65.47045135491478)
    row, told = (PhotoAnswer(Path("a.jpg"), replace(answer, view=view)).row(), replace(answer, view=view).as_json())
    assert (row["heading_deg"], row["fov_deg"]) == (137.2, 65.4705)
    assert told["view"]["fov_deg"] == 65.4705


def test_a_heading_that_was_searched_is_the_one_found() -> None:
    row = UNSURE.row()
    assert (row["heading_deg"], row["heading_source"]) == (123.75, "unknown")
    assert row["confidence"] is None
    assert row["warnings"] == 'the picture is dark; it is "odd"'


def test_a_failed_photo_has_its_reason_alone() -> None:
    assert {name: value for name, value in FAILED.row().items() if value is not None} == FAILED.as_json()
    assert FAILED.as_json() == {"photo": "text.jpg", "error": "the photo is not a JPEG"}


def test_a_name_that_is_no_text_can_still_be_written() -> None:
    answer = PhotoAnswer(Path(os.fsdecode(b"caf\xe9.jpg")), found())
    assert json.dumps(answer.as_json(), ensure_ascii=False).encode()
    assert answer.row()["photo"] == "caf\\udce9.jpg"
