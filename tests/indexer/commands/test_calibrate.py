"""`python -m indexer calibrate`, from manifests of photos to what `info` says."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from indexer.__main__ import main
from indexer.confidence.storage import read_calibrations
from indexer.index.tile_index import TileIndex
from tests.indexer.bundles import write_bundle
from tests.indexer.photos import write_photos
from tests.indexer.tiny import make_tiles

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `index`, `bundle`, and two sets of `photos`."""
    folder = tmp_path_factory.mktemp("calibrate")
    bundle = write_bundle(folder / "bundle")
    make_tiles(folder / "tiles", columns=8)
    build = ["build", "--tiles", folder / "tiles", "--out", folder / "index", "--quiet", "--checkpoint", bundle]
    assert main([str(part) for part in build]) == 0
    index = TileIndex.open(folder / "index")
    write_photos(folder / "photos", index, count=110)
    write_photos(folder / "others", index, count=40, seed=1)
    return folder


@pytest.fixture
def index(root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(root / "index", tmp_path / "index"))


def calibrate(root: Path, index: Path, *arguments: str, photos: tuple[str, ...] = ("photos",)) -> int:
    pairs = [str(root / name / "pairs.csv") for name in photos]
    options = ["--index", str(index), "--checkpoint", str(root / "bundle"), "--device", "cpu", "--quiet", *arguments]
    return main(["calibrate", *options, "--queries", *pairs])


def test_fit_store_show_and_check(root: Path, index: Path, capsys: Captured) -> None:
    assert calibrate(root, index, "--radius-m", "2500") == 0
    printed = capsys.readouterr().out
    for part in ("110 with known headings", "placed within 2500 m", "ECE", "Brier", "AUROC", "fused", "stored in"):
        assert part in printed
    assert main(["info", "--index", str(index)]) == 0
    shown = capsys.readouterr().out
    for heading in ("known headings", "unknown headings (24 tried)"):
        assert f"within 2500 m, fitted on 110 photos with {heading}" in shown
    assert main(["info", "--index", str(index), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calibrations"][0]["reading"]["here_m"] == 2500
    assert calibrate(root, index, "--check", photos=("others",)) == 0
    checked = capsys.readouterr().out
    assert "40 with known headings" in checked
    assert "40 with unknown headings" in checked
    assert "warning" not in checked
    assert calibrate(root, index, "--check") == 0
    assert "warning: it was fitted on 110 of these 110 photos" in capsys.readouterr().out
    assert calibrate(root, index, "--check", photos=("photos", "others")) == 0
    assert "warning: it was fitted on 110 of these 150 photos" in capsys.readouterr().out
    assert main(["verify", "--index", str(index), "--checkpoint", str(root / "bundle"), "--sample", "1"]) == 0
    assert "calibration: belongs to this index" in capsys.readouterr().out


def test_json_of_fit_and_check(root: Path, index: Path, capsys: Captured) -> None:
    assert calibrate(root, index, "--radius-m", "2500", "--json", photos=("photos", "others")) == 0
    fitted, searched = json.loads(capsys.readouterr().out)["calibrations"]
    assert searched["conditions"]["headings"] == 24
    assert fitted["conditions"]["headings"] is None
    assert fitted["photos"]["count"] == 150
    assert len(fitted["held_out"]["bins"]) == 15
    assert calibrate(root, index, "--check", "--json", photos=("others",)) == 0
    checked, searched = json.loads(capsys.readouterr().out)["checked"]
    assert [checked["heading"], searched["heading"]] == ["known", "unknown"]
    assert checked["photos"] == 40
    assert checked["radius_m"] == 2500
    assert checked["photos_of_the_fit"] == 40
    assert 0 <= checked["ece"] <= 1


@pytest.mark.parametrize(
    ("arguments", "photos", "message"),
    [
        ([], ("others",), "40 photos are too few to calibrate on; give at least 100"),
        ([], ("others",) * 3, "40 photos are too few to calibrate on; give at least 100"),
        (["--radius-m", "900000"], ("photos",), "110 of 110 photos are placed within 900000 m"),
        (["--check"], ("photos",), "has no calibration to check; make one first"),
        ([], ("missing",), "there is no manifest"),
    ],
)
def test_what_makes_no_sense_ends_with_one_line(
    root: Path, index: Path, capsys: Captured, arguments: list[str], photos: tuple[str, ...], message: str
) -> None:
    assert calibrate(root, index, *arguments, photos=photos) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert not (index / "calibration.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--radius-m", "nan"], "--radius-m is 'nan'; give a positive number of metres"),
        (["--radius-m", "-5"], "--radius-m is '-5'; give a positive number of metres"),
        (["--fov-deg", "0"], "--fov-deg is '0'; give a field of view in (0, 360] degrees"),
        (["--fov-deg", "361"], "--fov-deg is '361'; give a field of view in (0, 360] degrees"),
        (["--heading-deg", "90"], "--heading-deg is '90'; give one of known, unknown"),
    ],
)
def test_a_wrong_value_ends_with_one_line_and_two(
    root: Path, index: Path, capsys: Captured, arguments: list[str], message: str
) -> None:
    assert calibrate(root, index, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_check_of_another_radius_or_heading_is_refused(root: Path, index: Path, capsys: Captured) -> None:
    assert calibrate(root, index, "--radius-m", "2500") == 0
    assert calibrate(root, index, "--check", "--radius-m", "50") == 1
    assert "--radius-m is 50.0, the calibration is about 2500 m" in capsys.readouterr().err
    assert calibrate(root, index, "--check", "--fov-deg", "90", "--checkpoint", "none is loaded for that") == 1
    assert "a field of view of 90 degrees, the calibration speaks about known headings and" in capsys.readouterr().err


def test_photos_that_no_confident_answer_is_given_to_are_left_out(root: Path, index: Path, capsys: Captured) -> None:
    photos = Path(shutil.copytree(root / "photos", index.parent / "some"))
    for number in (3, 4):
        with Image.open(photos / f"{number}.png") as photo:
            Image.new("RGB", photo.size, (9, 9, 9)).save(photos / f"{number}.png")
    (photos / "again").symlink_to(photos)
    pairs = [str(folder / "pairs.csv") for folder in (photos, photos / "again")]
    options = ["--checkpoint", str(root / "bundle"), "--device", "cpu", "--quiet", "--radius-m", "2500"]
    assert main(["calibrate", "--index", str(index), *options, "--queries", *pairs]) == 0
    printed = capsys.readouterr()
    assert "warning: 2 of 110 photos are left out, as an answer to them carries no confidence; 3.png: " in printed.err
    assert "108 with known headings" in printed.out
    assert "108 with unknown headings" in printed.out


def test_another_number_of_headings_is_another_question(root: Path, index: Path, capsys: Captured) -> None:
    searched = ["--radius-m", "2500", "--heading-deg", "unknown", "--headings", "4"]
    assert calibrate(root, index, *searched) == 0
    assert "unknown headings (4 tried)" in capsys.readouterr().out
    assert main(["info", "--index", str(index)]) == 0
    assert "with unknown headings (4 tried)" in capsys.readouterr().out
    assert calibrate(root, index, "--check", "--heading-deg", "unknown") == 1
    assert "would be asked with unknown headings (24 tried)" in capsys.readouterr().err


def test_a_damaged_calibration_is_not_checked_but_replaced(root: Path, index: Path, capsys: Captured) -> None:
    assert calibrate(root, index, "--radius-m", "2500") == 0
    path = index / "calibration.json"
    path.write_text(path.read_text().replace('"radius_m": ', '"radius_m": NaN, "x": '))
    assert calibrate(root, index, "--check") == 1
    assert "calibration.json cannot be read" in capsys.readouterr().err
    assert calibrate(root, index, "--radius-m", "2500") == 0
    assert len(read_calibrations(index, TileIndex.open(index).manifest).each) == 2


def test_another_encoder_is_refused(root: Path, index: Path, tmp_path: Path, capsys: Captured) -> None:
    other = str(write_bundle(tmp_path / "other", seed=1))
    assert calibrate(root, index, "--checkpoint", other) == 1
    assert "Rebuild it with `python -m indexer build`" in capsys.readouterr().err


def test_a_calibration_of_another_index_is_told(root: Path, index: Path, tmp_path: Path, capsys: Captured) -> None:
    assert calibrate(root, index, "--radius-m", "2500") == 0
    make_tiles(tmp_path / "tiles", 2, 2)
    bundle = str(root / "bundle")
    build = ["build", "--tiles", str(tmp_path / "tiles"), "--out", str(tmp_path / "second"), "--checkpoint", bundle]
    assert main([*build, "--quiet"]) == 0
    for path in index.glob("calibration*"):
        shutil.copy(path, tmp_path / "second")
    assert main(["info", "--index", str(tmp_path / "second")]) == 0
    assert "was made for another index" in capsys.readouterr().out
    assert main(["verify", "--index", str(tmp_path / "second"), "--checkpoint", bundle]) == 1
    assert "was made for another index" in capsys.readouterr().err


def columns(source: Path, *names: str, name: str = "some.csv", count: int | None = None) -> Path:
    """The manifest with some of its columns, headings left out after `count` rows."""
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (source.parent / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow(row | ({} if count is None or number < count else {"heading_deg": ""}))
    return source.parent / name


def test_photos_need_a_place_and_no_tile(root: Path, index: Path, capsys: Captured) -> None:
    pairs = columns(root / "photos" / "pairs.csv", "query", "lat", "lon", "vertical_deg")
    options = ["--index", str(index), "--checkpoint", str(root / "bundle"), "--device", "cpu", "--quiet"]
    options += ["--queries", str(pairs), "--radius-m", "2500", "--headings", "4"]
    assert main(["calibrate", *options]) == 0
    printed = capsys.readouterr()
    assert "110 with unknown headings (4 tried)" in printed.out
    assert "with known headings" not in printed.out
    assert printed.err == (
        "warning: answers to known headings get no confidence: 0 photos are too few to calibrate on; give at least "
        "100, better 1,000\n"
    )
    assert main(["calibrate", *options, "--heading-deg", "known"]) == 1
    assert "0 photos are too few" in capsys.readouterr().err
    assert main(["calibrate", *options, "--heading-deg", "known", "--check"]) == 1
    assert "no photo says where it looks; give the column heading_deg" in capsys.readouterr().err


def test_a_heading_is_known_where_it_is_said(root: Path, index: Path, capsys: Captured) -> None:
    names = ("query", "lat", "lon", "vertical_deg", "heading_deg")
    pairs = columns(root / "photos" / "pairs.csv", *names, name="half.csv", count=105)
    options = ["--index", str(index), "--checkpoint", str(root / "bundle"), "--device", "cpu", "--quiet", "--json"]
    options += ["--queries", str(pairs), "--radius-m", "2500", "--headings", "4"]
    assert main(["calibrate", *options]) == 0
    known, unknown = json.loads(capsys.readouterr().out)["calibrations"]
    assert (known["photos"]["count"], unknown["photos"]["count"]) == (105, 110)


def test_one_heading_alone_leaves_the_other_as_it_was(root: Path, index: Path) -> None:
    manifest = TileIndex.open(index).manifest
    assert calibrate(root, index, "--radius-m", "2500", "--heading-deg", "known") == 0
    (known,) = read_calibrations(index, manifest).each
    assert calibrate(root, index, "--radius-m", "2500", "--heading-deg", "unknown", "--headings", "4") == 0
    assert read_calibrations(index, manifest).each[0] == known
    assert len(read_calibrations(index, manifest).each) == 2
