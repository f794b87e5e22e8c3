import json
from pathlib import Path

import pytest

from indexer.__main__ import main
from indexer.index.tile_index import TileIndex
from model.common.geo import LatLon, great_circle_m
from tests.indexer.bundles import write_bundle
from tests.indexer.tiny import LEFT, TOP, encoded, make_tiles, picture

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `tiles`, `index`, `bundle` and `photo.png`."""
    root = tmp_path_factory.mktemp("commands")
    write_bundle(root / "bundle")
    make_tiles(root / "tiles")
    picture(0, 200).save(root / "photo.png")
    assert run(root, "build", "--tiles", root / "tiles", "--out", root / "index", "--quiet") == 0
    return root


def run(root: Path, name: str, *arguments: str | Path) -> int:
    encoder = [] if name == "info" else ["--checkpoint", root / "bundle", "--device", "cpu"]
    return main([str(part) for part in (name, *arguments, *encoder)])


def search(built: Path, *arguments: str) -> int:
    return run(built, "search", "--index", built / "index", "--image", built / "photo.png", *arguments)


def test_build_prints_a_summary(built: Path, tmp_path: Path, capsys: Captured) -> None:
    make_tiles(tmp_path / "tiles", 2, 2)
    (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP}.png").write_bytes(b"text")
    assert run(built, "build", "--tiles", tmp_path / "tiles", "--out", tmp_path / "index") == 0
    printed = capsys.readouterr()
    assert "4 tiles from" in printed.out
    assert "3 embedded, 0 skipped, 1 failed" in printed.out
    assert "tiles/s" in printed.out
    assert f"failed 15/{LEFT}/{TOP}: " in printed.out
    assert printed.err == ""  # a bar is for terminals


def test_a_dry_run_prints_the_plan_and_writes_nothing(built: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["--tiles", built / "tiles", "--out", tmp_path / "index", "--dry-run"]
    assert run(built, "build", *arguments) == 0
    printed = capsys.readouterr().out
    for part in ("12 tiles", "kB", "minutes", "tiles/s", "bounds"):
        assert part in printed
    assert list(tmp_path.iterdir()) == []


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


def test_a_shape_that_contradicts_the_field_of_view_is_said(built: Path, capsys: Captured) -> None:
    assert search(built, "--json") == 0  # the photo is a square
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert "give its horizontal field of view" in warning
    assert search(built) == 0
    assert f"warning: {warning}" in capsys.readouterr().out
    assert search(built, "--geojson", "--fov-deg", "70") == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []


def test_a_heading_that_is_no_number_is_a_wrong_argument(built: Path, capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="2"):
        search(built, "--heading-deg", "north")
    assert "'north' is neither degrees clockwise from north nor 'unknown'" in capsys.readouterr().err


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
        (["--top-k", "0"], "top_k is 0"),
        (["--near", "50,7"], "--near and --radius-m belong together"),
        (["--radius-m", "50"], "--near and --radius-m belong together"),
        (["--near", "50,7", "--radius-m", "-5"], "radius_m is -5.0"),
        (["--near", "50,7", "--radius-m", "nan"], "radius_m is nan"),
        (["--near", "50,7", "--radius-m", "5", "--bbox", "1,2,3,4"], "exclude each other"),
        (["--fov-deg", "0"], "fov_deg is 0"),
        (["--fov-deg", "-90"], "fov_deg is -90"),
        (["--fov-deg", "nan"], "fov_deg is nan"),
        (["--fov-deg", "361"], "fov_deg is 361"),
        (["--heading-deg", "nan"], "heading_deg is nan"),
        (
            ["--heading-deg", "4294967206"],
            "heading_deg is 4294967206.0; give degrees clockwise from north, -360 to 360",
        ),
    ],
)
def test_a_search_that_makes_no_sense_ends_with_one(
    built: Path, capsys: Captured, arguments: list[str], message: str
) -> None:
    assert search(built, *arguments) == 1
    assert message in capsys.readouterr().err


def test_a_photo_that_is_none_ends_with_one(built: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "photo.jpg").write_text("text")
    for photo in (tmp_path / "photo.jpg", tmp_path / "missing.jpg"):
        assert run(built, "search", "--index", built / "index", "--image", photo) == 1
        assert photo.name in capsys.readouterr().err


def test_another_encoder_ends_with_one(built: Path, tmp_path: Path, capsys: Captured) -> None:
    other = write_bundle(tmp_path / "other", seed=1)
    arguments = ["--index", str(built / "index"), "--checkpoint", str(other), "--device", "cpu"]
    assert main(["search", "--image", str(built / "photo.png"), *arguments]) == 1
    assert main(["verify", *arguments]) == 1
    assert capsys.readouterr().err.count("Rebuild it with `python -m indexer build`") == 2


def test_info_says_what_there_is(built: Path, capsys: Captured) -> None:
    assert run(built, "info", "--index", built / "index") == 0
    printed = capsys.readouterr().out
    assert "12 of 772.41 x 772.41 m" in printed
    assert "bundle" in printed
    assert run(built, "info", "--json", "--index", built / "index") == 0
    assert json.loads(capsys.readouterr().out)["count"] == 12


def test_verify_embeds_a_sample_again(built: Path, capsys: Captured) -> None:
    assert run(built, "verify", "--index", built / "index", "--sample", "4") == 0
    assert "4 tiles embedded again" in capsys.readouterr().out


def test_an_output_that_exists_ends_with_one_at_once(built: Path, capsys: Captured) -> None:
    assert run(built, "build", "--tiles", built / "tiles", "--out", built / "index") == 1
    assert "exists already" in capsys.readouterr().err


def test_sources_that_are_none_end_with_one(built: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk" / "15" / "3").mkdir(parents=True)
    (tmp_path / "junk" / "15" / "3" / "4.png").write_bytes(encoded(0)[:40])
    for name, message in {"missing": "does not exist", "empty": "holds no .png", "junk": "none of 1 tiles"}.items():
        assert run(built, "build", "--tiles", tmp_path / name, "--out", tmp_path / "index", "--quiet") == 1
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "junk"]
