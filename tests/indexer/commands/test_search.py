"""`search`: a photo in three forms of answer, and what it refuses."""

import json
import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from indexer.index.tile_index import TileIndex
from model.common.geo import LatLon, great_circle_m
from tests.indexer.commands.running import run

Captured = pytest.CaptureFixture[str]


def search(built: Path, *arguments: str) -> int:
    return run(built, "search", "--index", built / "index", "--image", built / "photo.png", *arguments)


def test_search_prints_a_table(built: Path, capsys: Captured) -> None:
    assert search(built, "--top-k", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rank", "score", "heading", "lat", "lon", "tile"]
    assert [line.split()[0] for line in lines[1:4]] == ["1", "2", "3"]
    assert lines[4] == "12 tiles compared, exact"


def test_search_prints_json(built: Path, capsys: Captured) -> None:
    assert search(built, "--json", "--heading-deg", "90", "--fov-deg", "180") == 0
    answer = json.loads(capsys.readouterr().out)
    scores = [match["score"] for match in answer["matches"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert answer["index"]["tiles"] == 12
    keys = {"rank", "tile_id", "lat", "lon", "bounds", "score", "heading_deg", "source"}
    assert keys == set(answer["matches"][0])
    assert {match["heading_deg"] for match in answer["matches"]} == {90.0}


def test_a_heading_that_is_unknown_is_searched(built: Path, capsys: Captured) -> None:
    assert search(built, "--json", "--heading-deg", "0", "--top-k", "1") == 0
    north = json.loads(capsys.readouterr().out)["matches"][0]
    assert search(built, "--json", "--heading-deg", "unknown", "--top-k", "3") == 0
    matches = json.loads(capsys.readouterr().out)["matches"]
    assert len(matches) == 3
    assert matches[0]["score"] >= north["score"] - 1e-3  # among the headings tried is north
    for match in matches:
        assert match["heading_deg"] % (360 / 64) == 0  # whole columns of this encoder's canvas


def test_a_field_of_view_that_had_to_be_guessed_is_said(built: Path, capsys: Captured) -> None:
    assert search(built, "--json") == 0  # the photo is a square
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert "does not say how wide it sees; fov_deg 53.1 is assumed" in warning
    assert search(built) == 0
    assert f"warning: {warning}" in capsys.readouterr().out
    assert search(built, "--geojson", "--fov-deg", "70") == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []


def test_search_prints_geojson(built: Path, capsys: Captured) -> None:
    assert search(built, "--geojson", "--top-k", "2") == 0
    collection = json.loads(capsys.readouterr().out)
    assert collection["type"] == "FeatureCollection"
    assert [feature["properties"]["rank"] for feature in collection["features"]] == [1, 2]


def test_search_near_a_point_stays_there(built: Path, capsys: Captured) -> None:
    here = TileIndex.open(built / "index").tile(4).bounds.centre
    assert search(built, "--json", "--near", f"{here.lat},{here.lon}", "--radius-m", "500") == 0
    answer = json.loads(capsys.readouterr().out)
    assert 0 < answer["scanned"] < 12
    for match in answer["matches"]:
        assert great_circle_m(here, LatLon(match["lat"], match["lon"])) < 500 + 773


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--top-k", "0"], "--top-k is '0'"),
        (["--near", "50,7"], "--near and --radius-m belong together"),
        (["--radius-m", "50"], "--near and --radius-m belong together"),
        (["--near", "50,7", "--radius-m", "-5"], "--radius-m is '-5'; give a positive number of metres"),
        (["--near", "50,7", "--radius-m", "nan"], "--radius-m is 'nan'"),
        (["--near", "50,7", "--radius-m", "5", "--bbox", "1,2,3,4"], "exclude each other"),
        (["--fov-deg", "0"], "--fov-deg is '0'"),
        (["--fov-deg", "-90"], "--fov-deg is '-90'"),
        (["--fov-deg", "nan"], "--fov-deg is 'nan'"),
        (["--fov-deg", "361"], "--fov-deg is '361'"),
        (["--heading-deg", "nan"], "--heading-deg: 'nan' is neither degrees"),
        (["--heading-deg", "4294967206"], "give degrees clockwise from north in [-360, 360]"),
        (["--heading-deg", "north"], "'north' is neither degrees clockwise from north nor 'unknown'"),
    ],
)
def test_a_search_that_makes_no_sense_ends_with_two(
    built: Path, capsys: Captured, arguments: list[str], message: str
) -> None:
    assert search(built, *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_photo_that_is_none_ends_with_one(built: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "photo.jpg").write_text("text")
    for photo, reason in (
        ("photo.jpg", "is not a JPEG"),
        ("missing.jpg", "No such file or directory; give the path of a photo"),
    ):
        assert run(built, "search", "--index", built / "index", "--image", tmp_path / photo) == 1
        error = capsys.readouterr().err
        assert photo in error
        assert reason in error
        assert "Errno" not in error


def test_a_photo_named_like_a_coordinate_is_no_option(built: Path, tmp_path: Path, capsys: Captured) -> None:
    shutil.copy(built / "photo.png", tmp_path / "-48.86,-123.4.png")
    with chdir(tmp_path):
        assert run(built, "search", "--index", built / "index", "--json", "--image", "-48.86,-123.4.png") == 0
    assert len(json.loads(capsys.readouterr().out)["matches"]) == 5


def test_answers_name_the_day_of_a_picture_and_since_leaves_older_ones_out(
    built: Path, tmp_path: Path, capsys: Captured
) -> None:
    shutil.copytree(built / "index", tmp_path / "index")
    shutil.copytree(built / "tiles", tmp_path / "tiles")
    index = ["--index", tmp_path / "index"]
    assert run(built, "add", *index, "--tiles", tmp_path / "tiles", "--date", "2026-06-01", "--quiet") == 0
    ask = ["search", *index, "--image", built / "photo.png", "--fov-deg", "70", "--heading-deg", "0", "--top-k", "24"]
    capsys.readouterr()
    assert run(built, *ask) == 0
    lines = capsys.readouterr().out.splitlines()[1:25]
    assert sum(line.endswith(" of 2026-06-01") for line in lines) == 12
    assert run(built, *ask, "--geojson") == 0
    found = [one["properties"].get("date") for one in json.loads(capsys.readouterr().out)["features"]]
    assert (found.count("2026-06-01"), found.count(None)) == (12, 12)
    assert run(built, *ask, "--json", "--since", "2026-06-01") == 0
    assert {match["date"] for match in json.loads(capsys.readouterr().out)["matches"]} == {"2026-06-01"}
    assert run(built, *ask, "--since", "2026-06-02") == 1
    assert "no imagery since 2026-06-02; it has imagery of 2026-06-01, no date" in capsys.readouterr().err
