"""`python -m indexer localize`: photos, folders and tables in, answers in every form out, whatever lies among them."""

import csv
import io
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pyogrio
import pytest
from PIL import Image

from indexer.__main__ import main
from indexer.confidence.calibration import Logistic
from indexer.confidence.storage import write_calibration
from indexer.index.manifest import Manifest
from model.common.geo import great_circle_m
from model.inputs.photo_metadata import read_photo_position
from tests.indexer.bundles import write_bundle
from tests.indexer.candidates import CALIBRATION
from tests.indexer.tiny import make_tiles, picture
from tests.model.photo_files import exif, gpano, photo

Captured = pytest.CaptureFixture[str]
SPHERE = {"ProjectionType": "equirectangular"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bundle`, and a calibrated `index` that is sure of everything."""
    folder = tmp_path_factory.mktemp("localize")
    write_bundle(folder / "bundle")
    make_tiles(folder / "tiles")
    build = ["build", "--tiles", folder / "tiles", "--out", folder / "index", "--quiet"]
    assert main([str(part) for part in (*build, "--checkpoint", folder / "bundle", "--device", "cpu")]) == 0
    manifest = Manifest.read(folder / "index")
    sure = replace(CALIBRATION, confidence=Logistic(2.0, (0.0,) * 5))
    write_calibration(
        folder / "index", replace(sure, encoder=manifest.encoder["digest"], index=manifest.digest), b"png"
    )
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two whole panoramas that say where they look, one text, and a subfolder with a third panorama."""
    photos = tmp_path / "photos"
    (photos / "deep").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.jpg", "deep/c.jpg")):
        tags = gpano(PoseHeadingDegrees=90 * number, **SPHERE)
        (photos / name).write_bytes(photo(picture=picture(number).resize((128, 64)), xmp=tags))
    (photos / "text.png").write_text("no photo")
    return photos


def localize(root: Path, *arguments: str | Path, quiet: bool = True) -> int:
    options = ["--index", root / "index", "--checkpoint", root / "bundle", "--device", "cpu"]
    return main(["localize", *map(str, [*arguments, *options]), *(["--quiet"] if quiet else [])])


def one(root: Path, capsys: Captured, data: bytes, *arguments: str, name: str = "one") -> dict[str, Any]:
    """The JSON answer to one photo."""
    path = root / f"{name}.bin"
    path.write_bytes(data)
    status = localize(root, path, "--json", *arguments)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == int("error" in answer)
    return answer


def test_every_form_says_the_same(root: Path, folder: Path, tmp_path: Path, capsys: Captured) -> None:
    assert localize(root, folder, "--json") == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(one["photo"]).name for one in objects] == ["a.jpg", "b.jpg", "text.png", "c.jpg"]
    assert localize(root, folder, "--csv", "--out", tmp_path / "a.csv") == 0
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert localize(root, folder, "--geojson", "--out", tmp_path / "a.geojson") == 0
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert localize(root, folder, "--gpkg", "--out", tmp_path / "a.gpkg") == 0
    meta, _, _, columns = pyogrio.raw.read(tmp_path / "a.gpkg", layer="photos")
    for number, answer in enumerate(objects):
        if "error" in answer:
            assert rows[number]["error"] == features[number]["properties"]["error"] == answer["error"]
            continue
        lat, lon = answer["estimate"]["lat"], answer["estimate"]["lon"]
        assert (float(rows[number]["lat"]), float(rows[number]["lon"])) == (lat, lon)
        assert features[number]["geometry"]["coordinates"] == [lon, lat]
        layer = dict(zip(meta["fields"], (column[number] for column in columns), strict=True))
        assert (layer["lat"], layer["lon"]) == (lat, lon)
        assert layer["confidence"] == answer["estimate"]["confidence"] == float(rows[number]["confidence"])
        assert answer["view"]["heading_source"] == layer["heading_source"] == "photo"
    assert "error: " in capsys.readouterr().err


def test_people_get_a_table_and_how_far_it_can_be_trusted(root: Path, folder: Path, capsys: Captured) -> None:
    assert localize(root, folder, "--top-k", "2", quiet=False) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith(f"{folder / 'a.jpg'}: ")
    assert "88% sure within 100 m" in lines[0]
    assert "heading 0 degrees (from: photo), field of view 360 degrees (from: photo)" in lines[1]
    assert [line.split()[0] for line in lines[2:4]] == ["1", "2"]
    assert f"{folder / 'text.png'}: no answer: the photo is not a JPEG" in printed.out
    assert "note: confidences are for known headings" in printed.err
    assert "1 of 4 photos could not be placed" in printed.err


def test_one_photo_after_another_says_the_same(root: Path, folder: Path, capsys: Captured) -> None:
    assert localize(root, folder, "--json") == 0
    together = capsys.readouterr().out.splitlines()
    alone = []
    for name in ("a.jpg", "b.jpg", "text.png", "deep/c.jpg"):
        localize(root, folder / name, "--json")
        alone += capsys.readouterr().out.splitlines()
    assert together == alone


def test_the_end_says_whether_photos_failed(root: Path, folder: Path) -> None:
    assert localize(root, folder, "--json") == 0
    assert localize(root, folder, "--json", "--strict") == 1
    assert localize(root, folder / "a.jpg", "--json", "--strict") == 0
    assert localize(root, folder / "text.png", "--json") == 1


def test_the_same_photo_is_asked_once(root: Path, folder: Path, capsys: Captured) -> None:
    assert localize(root, folder / "a.jpg", folder / "a.jpg", folder / "deep" / ".." / "a.jpg", "--json") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_table_of_photos(root: Path, folder: Path, capsys: Captured) -> None:
    (folder / "t.csv").write_text("photo,heading_deg\na.jpg,0\ndeep/c.jpg,unknown\nmissing.jpg,\n")
    assert localize(root, folder / "t.csv", "--json") == 0
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["view"]["heading_source"] == "given"
    assert second["view"]["heading_deg"] is None
    assert third["error"] == "it cannot be read: No such file or directory"


def test_what_cannot_be_done_is_said_before_any_work(
    root: Path, folder: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.localization.localizer.Localizer.open", lambda *_, **__: pytest.fail("it was opened"))
    (tmp_path / "mine.csv").write_text("mine")
    (tmp_path / "empty").mkdir()
    shutil.copy(folder / "a.jpg", folder / "deep" / "A.jpg")
    (folder / "bad.csv").write_text("photo,lat,lon\na.jpg,1,2\n")
    (folder / "good.csv").write_text("photo\na.jpg\n")
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    cases: dict[str, list[str | Path]] = {
        "mine.csv exists already": [folder, "--csv", "--out", tmp_path / "mine.csv"],
        "holds no photo": [tmp_path / "empty"],
        "nowhere does not exist": [tmp_path / "nowhere"],
        "is the folder of the original": [folder, "--write-gps", folder / "deep", "--min-confidence", "0.5"],
        "have one name": [
            folder / "a.jpg",
            folder / "deep" / "A.jpg",
            "--write-gps",
            tmp_path / "out",
            "--min-confidence",
            "0.5",
        ],
        "call it near_lat and near_lon": [folder / "bad.csv"],
        "a.jpg is one of the files": [folder, "--csv", "--out", folder / "deep" / ".." / "a.jpg", "--overwrite"],
        "good.csv is one of the files": [folder / "good.csv", "--csv", "--out", folder / "good.csv", "--overwrite"],
    }
    for message, arguments in cases.items():
        assert localize(root, *arguments) == 1, message
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    monkeypatch.setitem(sys.modules, "pyogrio.raw", None)
    assert localize(root, folder, "--gpkg", "--out", tmp_path / "a.gpkg") == 1
    assert "install it with `pip install 'clnet-geolocalization[geo]'`" in capsys.readouterr().err
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine.csv", "photos"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "--csv"], "exclude each other"),
        (["--out", "x"], "say in which form"),
        (["--gpkg"], "name it with --out FILE.gpkg"),
        (["--write-gps", "x"], "--write-gps and --min-confidence belong together"),
        (["--min-confidence", "1"], "--write-gps and --min-confidence belong together"),
        (["--together", "--near", "exif", "--radius-m", "5"], "--together goes neither with --near exif"),
        (["--together", "--write-gps", "x", "--min-confidence", "1"], "nor with --write-gps"),
        (["--write-gps", "x", "--min-confidence", "0"], "--min-confidence is '0'"),
        (["--near", "1,2"], "--near and --radius-m belong together"),
        (["--near", "exif"], "--near and --radius-m belong together"),
        (["--near", "exif", "--radius-m", "9", "--bbox", "1,2,3,4"], "exclude each other"),
        (["--near", "190,2", "--radius-m", "9"], "--near"),
        (["--heading-deg", "361"], "the heading is 361; give degrees clockwise from north in [-360, 360]"),
        (["--heading-deg", "nan"], "'nan' is neither degrees"),
        (["--heading-deg", "4294967206"], "the heading is 4294967206"),
        (["--fov-deg", "0"], "--fov-deg is '0'; give the horizontal angle of the photo in (0, 360] degrees"),
        (["--top-k", "0"], "--top-k is '0'"),
        (["--batch-size", "0"], "--batch-size is '0'"),
    ],
)
def test_options_that_make_no_sense_end_with_two(
    root: Path, folder: Path, capsys: Captured, arguments: list[str], message: str
) -> None:
    assert localize(root, folder, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("given", "heading"), [("360", 0.0), ("-0", 0.0), ("-90", 270.0), ("0.5", 0.5)])
def test_a_given_heading_is_one_of_a_circle(root: Path, capsys: Captured, given: str, heading: float) -> None:
    answer = one(root, capsys, photo(size=(128, 64)), "--heading-deg", given)
    assert answer["view"]["heading_deg"] == heading
    assert answer["view"]["heading_source"] == "given"
    assert str(answer["view"]["heading_deg"])[0] != "-"


@pytest.mark.parametrize(
    ("said", "heading"),
    [("360", 0.0), ("-0", 0.0), ("-90", 270.0), ("361", None), ("nan", None), ("4294967206", None), ("east", None)],
)
def test_a_heading_of_xmp_is_believed_or_doubted(
    root: Path, capsys: Captured, said: str, heading: float | None
) -> None:
    answer = one(root, capsys, photo(size=(128, 64), xmp=gpano(PoseHeadingDegrees=said, **SPHERE)))
    assert answer["view"]["heading_deg"] == heading
    assert answer["view"]["heading_source"] == ("unknown" if heading is None else "photo")
    assert bool(answer["warnings"]) == (heading is None)
    assert (answer["estimate"]["confidence"] is None) == (heading is None)


def test_a_crop_larger_than_its_panorama_is_not_believed(root: Path, capsys: Captured) -> None:
    tags = {"FullPanoWidthPixels": 100, "FullPanoHeightPixels": 50}
    tags |= {"CroppedAreaImageWidthPixels": 128, "CroppedAreaImageHeightPixels": 64}
    answer = one(root, capsys, photo(size=(128, 64), xmp=gpano(PoseHeadingDegrees=90, **SPHERE, **tags)))
    assert (answer["view"]["heading_deg"], answer["view"]["fov_source"]) == (None, "assumed")
    assert any("out of which it reaches" in warning for warning in answer["warnings"])
    assert answer["estimate"]["confidence"] is None


def test_a_heading_that_the_photo_denies_is_a_warning(root: Path, capsys: Captured) -> None:
    data = photo(size=(128, 64), xmp=gpano(PoseHeadingDegrees=90, **SPHERE))
    answer = one(root, capsys, data, "--heading-deg", "180")
    assert answer["view"]["heading_deg"] == 180.0
    assert "heading_deg 180 is given, and the photo says 90" in answer["warnings"][0]


@pytest.mark.parametrize("xmp", [b"<x:xmpmeta", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>" + gpano(PoseHeadingDegrees=9)])
def test_broken_xmp_is_left_out(root: Path, capsys: Captured, xmp: bytes) -> None:
    answer = one(root, capsys, photo(size=(128, 64), xmp=xmp))
    assert answer["view"]["heading_source"] == "unknown"


def test_a_heic_of_several_pictures_is_its_primary_one(root: Path, capsys: Captured) -> None:
    pictures = pillow_heif.HeifFile()
    for number in range(10):
        pictures.add_from_pillow(picture(number).resize((128, 64)))
    buffer = io.BytesIO()
    pictures.save(buffer, primary_index=3, quality=-1)
    several = one(root, capsys, buffer.getvalue(), "--heading-deg", "0")
    single = one(root, capsys, photo("HEIF", picture=picture(3).resize((128, 64))), "--heading-deg", "0")
    assert several["matches"][0]["tile_id"] == single["matches"][0]["tile_id"]
    assert several["matches"][0]["score"] == pytest.approx(single["matches"][0]["score"], abs=0.01)


def tiff_of_16_bits(pixels: np.ndarray) -> bytes:
    """An uncompressed little-endian TIFF of uint16 [H, W, 4]: 64 bits a pixel."""
    height, width, bands = pixels.shape
    tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, bands, 8), (259, 3, 1, 1), (262, 3, 1, 2)]
    tags += [(273, 4, 1, 64 * 4), (277, 3, 1, bands), (278, 3, 1, height), (279, 4, 1, pixels.nbytes), (338, 3, 1, 2)]
    entries = b"".join(
        tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + n.to_bytes(4, "little") + value.to_bytes(4, "little")
        for tag, kind, n, value in tags
    )
    head = b"II*\0" + (16).to_bytes(4, "little") + np.full(4, 16, "<u2").tobytes()
    head += len(tags).to_bytes(2, "little") + entries + bytes(4)
    return head.ljust(64 * 4, b"\0") + pixels.astype("<u2").tobytes()


def test_a_tiff_of_64_bits_a_pixel_is_read_or_named(root: Path, capsys: Captured) -> None:
    shown = np.asarray(picture(5).resize((128, 64)).convert("RGBA"), np.uint16) * 257
    wide = one(root, capsys, tiff_of_16_bits(shown), "--heading-deg", "0")
    plain = one(root, capsys, photo("PNG", picture=picture(5).resize((128, 64))), "--heading-deg", "0")
    assert wide["matches"][0]["tile_id"] == plain["matches"][0]["tile_id"]
    assert wide["matches"][0]["score"] == pytest.approx(plain["matches"][0]["score"], abs=1e-3)
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((64, 128), np.float32)).save(buffer, "TIFF")
    answer = one(root, capsys, buffer.getvalue())
    assert "TIFF with 32 bits a channel" in answer["error"]


def test_what_is_no_photo_is_named_by_its_format_and_never_by_its_bytes(root: Path, capsys: Captured) -> None:
    buffer = io.BytesIO()
    picture(0).save(buffer, "GIF")
    assert "it looks like .gif" in one(root, capsys, buffer.getvalue())["error"]
    assert "secret" not in one(root, capsys, b"%PDF-1.4 secret")["error"]


def test_positions_are_neither_used_nor_told(root: Path, capsys: Captured) -> None:
    tags = gpano(PoseHeadingDegrees=0, **SPHERE)
    placed = photo(size=(128, 64), xmp=tags, exif=exif(position=(12.3456, 65.4321)))
    assert one(root, capsys, placed) == one(root, capsys, photo(size=(128, 64), xmp=tags))


def test_copies_with_positions(root: Path, folder: Path, tmp_path: Path, capsys: Captured) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
    shutil.copy(folder / "a.jpg", folder / "searched.jpg")
    (folder / "t.csv").write_text("photo,heading_deg\na.jpg,\ndeep/c.jpg,\nsearched.jpg,unknown\ntext.png,\n")
    out = tmp_path / "out"
    asked = [folder / "t.csv", "--json", "--write-gps", out, "--min-confidence", "0.8"]
    assert localize(root, *asked) == 0
    printed = capsys.readouterr()
    answers = {Path(one["photo"]).name: one for one in map(json.loads, printed.out.splitlines())}
    copies = sorted(path for path in out.rglob("*") if path.is_file())
    assert copies == [out / "a.jpg", out / "deep" / "c.jpg"]  # of the other one nobody knows how sure
    assert "2 of 4 photos were copied" in printed.err
    for path in copies:
        place = read_photo_position(path)
        assert place is not None
        estimate = answers[path.name]["estimate"]
        assert great_circle_m(place, type(place)(estimate["lat"], estimate["lon"])) < 0.03
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert localize(root, *asked) == 1
    printed = capsys.readouterr()
    assert "warning: no copy of" in printed.err
    assert "2 that were sure enough could not be copied" in printed.err
    copies[0].unlink()
    assert localize(root, *asked) == 0
    copies[0].unlink()
    (folder / "good.csv").write_text("photo\na.jpg\ndeep/c.jpg\n")
    assert localize(root, folder / "good.csv", *asked[1:], "--strict") == 1


def test_an_index_that_is_not_calibrated_says_so_first(
    root: Path, folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    shutil.copytree(root / "index", tmp_path / "index", ignore=shutil.ignore_patterns("calibration*"))
    shutil.copytree(root / "bundle", tmp_path / "bundle")
    assert localize(tmp_path, folder / "a.jpg") == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("note: index index is not calibrated")
    assert "best guess" in printed.out.splitlines()[0]
    reason = "the index is not calibrated; see `python -m indexer calibrate --help`"
    assert f"confidence unknown ({reason})" in printed.out.splitlines()[0]


def test_names_that_are_no_text_are_answered(root: Path, folder: Path, capsys: Captured) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    shutil.copy(folder / "a.jpg", folder / name)
    for form in (["--json"], ["--csv"], ["--geojson"], []):
        assert localize(root, folder / name, *form) == 0
        assert capsys.readouterr().out.encode()


def test_photos_of_one_place_are_answered_once(root: Path, folder: Path, tmp_path: Path, capsys: Captured) -> None:
    assert localize(root, folder, "--together", "--json") == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert [one["heading_deg"] for one in answer["photos"]] == [0.0, 90.0, 180.0]
    assert answer["warnings"][0].startswith("text.png is left out: the photo is not a JPEG")
    assert answer["estimate"]["confidence"] is None
    assert "no confidence is fitted for several photos together" in printed.err
    assert localize(root, folder, "--together", "--strict") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "best guess" in lines[0]
    assert lines[2] == "  b.jpg: heading 90 degrees (from: photo), field of view 360 degrees (from: photo)"
    assert localize(root, folder, "--together", "--gpkg", "--out", tmp_path / "a.gpkg") == 0
    assert pyogrio.read_info(tmp_path / "a.gpkg", layer="photos")["features"] == 1
    assert localize(root, folder / "text.png", "--together", "--json") == 1
