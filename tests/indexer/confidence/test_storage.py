"""A calibration lies in the index folder, belongs to it, and is left out loudly where it does not."""

import errno
import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.building.verify import verify_index
from indexer.common.errors import BadCalibration, BadPhotos, IndexMismatch
from indexer.confidence.calibration import Calibrations, Conditions
from indexer.confidence.diagram import draw_reliability
from indexer.confidence.fitting import Fitted, check, fit
from indexer.confidence.queries import SearchedPhotos
from indexer.confidence.storage import read_calibrations, write_calibration
from indexer.index.tile_index import TileIndex
from indexer.localization.known_photos import photos_with_places, search_known_photos
from indexer.localization.localizer import Localizer
from model.common.atomic_io import canonical_json, sha256_bytes
from model.common.geo import LatLon
from model.data.manifest import read_manifest
from model.evaluation.protocol import QueryProtocol
from tests.fakes import FakeEncoder
from tests.indexer.photos import write_photos
from tests.indexer.tiny import build_tiny, files_of


def ask(index: TileIndex, pairs: Path, protocol: QueryProtocol = QueryProtocol()) -> SearchedPhotos:  # noqa: B008
    photos = photos_with_places([read_manifest(pairs)])
    localizer = Localizer(FakeEncoder(), index, headings=protocol.headings)
    return search_known_photos(localizer, photos, names=["x"], protocol=protocol, on_progress=lambda _: None)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibration")
    index = build_tiny(folder, columns=8)
    write_photos(folder / "photos", index, count=150)
    return folder


@pytest.fixture(scope="module")
def index(root: Path) -> TileIndex:
    return TileIndex.open(root / "index")


@pytest.fixture(scope="module")
def fitted(index: TileIndex, root: Path) -> Fitted:
    return fit(ask(index, root / "photos" / "pairs.csv"), index.manifest, radius_m=772.4)


@pytest.fixture
def calibrated(index: TileIndex, fitted: Fitted, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(index.folder, tmp_path / "index"))
    write_calibration(folder, fitted.calibration, draw_reliability(fitted))
    return folder


def opened(folder: Path) -> Localizer:
    return Localizer(FakeEncoder(), TileIndex.open(folder, verify=True))


def diagram_of(folder: Path) -> Path:
    (path,) = folder.glob("calibration*.png")
    return path


def rewrite(folder: Path, **changes: object) -> None:
    """Change the file, or the one calibration in it, and give it a digest that fits."""
    path = folder / "calibration.json"
    content = {name: value for name, value in json.loads(path.read_bytes()).items() if name != "digest"}
    for name, value in changes.items():
        (content if name in content else content["calibrations"][0])[name] = value
    path.write_bytes(canonical_json(content | {"digest": sha256_bytes(canonical_json(content))}))


def test_a_real_index_is_calibrated(fitted: Fitted) -> None:
    assert fitted.held_out.inside == 100
    assert 20 < fitted.held_out.right < 100
    assert fitted.held_out.auroc > 0.8
    assert not fitted.calibration.reading.fused  # its tiles do not overlap, and no two look alike


def test_it_holds_on_other_photos(fitted: Fitted, index: TileIndex, tmp_path: Path) -> None:
    others = ask(index, write_photos(tmp_path / "others", index, count=90, seed=1))
    checked = check(others, fitted.calibration)
    assert checked.auroc > 0.8
    assert others.about.shared_with(fitted.calibration.photos) == 0


def test_stored_and_opened_again(calibrated: Path, fitted: Fitted) -> None:
    assert opened(calibrated).calibrations.each == (fitted.calibration,)
    assert diagram_of(calibrated).read_bytes()[:4] == b"\x89PNG"


def test_where_nothing_draws_the_calibration_is_stored_without_a_diagram(calibrated: Path, fitted: Fitted) -> None:
    write_calibration(calibrated, fitted.calibration, None)
    assert opened(calibrated).calibrations.each == (fitted.calibration,)
    assert not list(calibrated.glob("calibration*.png"))
    assert verify_index(TileIndex.open(calibrated), FakeEncoder(), sample=0).calibrated
    write_calibration(calibrated, fitted.calibration, draw_reliability(fitted))
    assert diagram_of(calibrated).read_bytes()[:4] == b"\x89PNG"


def test_calibrating_changes_nothing_else(calibrated: Path, index: TileIndex) -> None:
    assert TileIndex.open(calibrated).digest == index.digest
    before, after = files_of(index.folder), files_of(calibrated)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"calibration.json", diagram_of(calibrated).name}


def test_the_same_calibration_has_the_same_bytes(calibrated: Path, fitted: Fitted) -> None:
    before = files_of(calibrated)
    write_calibration(calibrated, fitted.calibration, draw_reliability(fitted))
    assert files_of(calibrated) == before


def test_verify_looks_at_it(calibrated: Path) -> None:
    assert verify_index(TileIndex.open(calibrated), FakeEncoder(), sample=0).calibrated
    diagram_of(calibrated).write_bytes(b"")
    with pytest.raises(BadCalibration, match=r"which is not the one that was drawn with it\. Make it again"):
        verify_index(TileIndex.open(calibrated), FakeEncoder(), sample=0)
    diagram_of(calibrated).unlink()
    with pytest.raises(BadCalibration, match=r"which is missing\. Make it again[^.]*$"):
        verify_index(TileIndex.open(calibrated), FakeEncoder(), sample=0)


def test_killed_while_it_is_replaced_the_calibration_is_still_the_old_one(
    calibrated: Path, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    another = replace(fitted.calibration, radius_m=1.0)
    monkeypatch.setattr("indexer.confidence.storage.write_json", stop)
    with pytest.raises(KeyboardInterrupt):
        write_calibration(calibrated, another, b"another diagram")
    monkeypatch.undo()
    assert opened(calibrated).calibrations.each == (fitted.calibration,)
    write_calibration(calibrated, another, b"another diagram")
    assert opened(calibrated).calibrations.each == (another,)
    assert diagram_of(calibrated).read_bytes() == b"another diagram"  # and no other is left


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": "f" * 64}, "was made for another encoder .ffffffffffff; here it is"),
        ({"index": "f" * 64}, "was made for another index .ffffffffffff; here it is"),
        (
            {"version": 9},
            "of version 9; this software reads the versions 2 and 3, so a later one wrote it. Update the package",
        ),
        ({"reading": {}}, "is not whole"),
        ({"confidence": {"intercept": 0, "coefficients": {"shoe size": 1}}}, "is not whole: its features are"),
        ({"further": 1}, "is not whole"),
        ({"files": {}}, "is not whole"),
        ({"calibrations": []}, "is not whole: its calibrations name 0 of 1 diagrams"),
        ({"calibrations": {}}, "is not whole"),
        ({"diagram": "other.png"}, "is not whole"),
        ({"radius_m": "x"}, "is not whole: 'x' is no finite number"),
        ({"fused_temperature": 0}, "is not whole: 0 is not above zero"),
        ({"held_out": {}}, "is not whole: 'ece'"),
        ({"files": {"a.png": {"size_bytes": "x", "sha256": ""}}, "diagram": "a.png"}, "a.png, which is missing"),
        ({"photos": {"names": [], "count": 2, "prints": "0000aaaa"}}, "its photos are 2, but it has prints of 1"),
        ({"conditions": {"headings": "all", "fov_deg": [90, 360]}}, "'all' headings were tried"),
    ],
)
def test_one_that_does_not_belong_here_is_left_out_loudly(
    calibrated: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, object], message: str
) -> None:
    rewrite(calibrated, **changes)
    with caplog.at_level(logging.WARNING):
        assert not opened(calibrated).calibrations.each
    assert "answers carry no confidence" in caplog.text
    with pytest.raises(BadCalibration, match=f"{message}.*python -m indexer calibrate"):
        read_calibrations(calibrated, TileIndex.open(calibrated).manifest)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b"null", b'{"x": NaN}', b'{"x": 1e999}', b'{"x": "\\ud800"}', b"[" * 200_000],
)
def test_damage_is_told(calibrated: Path, content: bytes) -> None:
    (calibrated / "calibration.json").write_bytes(content)
    with pytest.raises(BadCalibration, match="Make it again"):
        read_calibrations(calibrated, TileIndex.open(calibrated).manifest)


def test_two_writers_wait_for_each_other(calibrated: Path, fitted: Fitted) -> None:
    def write(number: int) -> None:
        write_calibration(calibrated, replace(fitted.calibration, radius_m=float(number)), b"diagram %d" % number)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(1, 41)))
    assert opened(calibrated).calibrations.each
    assert diagram_of(calibrated).read_bytes().startswith(b"diagram")
    assert not list(calibrated.glob(".*"))


def test_a_reader_beside_a_writer_finds_one_or_the_other(calibrated: Path, fitted: Fitted) -> None:
    manifest = TileIndex.open(calibrated).manifest
    with ThreadPoolExecutor(1) as writer:
        written = writer.submit(
            lambda: [write_calibration(calibrated, fitted.calibration, b"diagram %d" % n) for n in range(100)]
        )
        while not written.done():
            assert read_calibrations(calibrated, manifest).each == (fitted.calibration,)
        written.result()


def test_a_file_system_without_locks_does_as_well(
    calibrated: Path, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    write_calibration(calibrated, fitted.calibration, b"another diagram")
    assert opened(calibrated).calibrations.each == (fitted.calibration,)


def test_pictures_of_other_names_are_not_touched(calibrated: Path, fitted: Fitted) -> None:
    (calibrated / "calibration-notes.png").write_bytes(b"mine")
    write_calibration(calibrated, fitted.calibration, b"another diagram")
    assert (calibrated / "calibration-notes.png").read_bytes() == b"mine"


def test_a_changed_number_is_noticed(calibrated: Path) -> None:
    path = calibrated / "calibration.json"
    path.write_text(path.read_text().replace('"radius_m": ', '"radius_m": 9'))
    with pytest.raises(BadCalibration, match="does not match its own digest"):
        read_calibrations(calibrated, TileIndex.open(calibrated).manifest)


def test_an_index_without_one_is_as_good(index: TileIndex) -> None:
    assert Localizer(FakeEncoder(), index).calibrations == Calibrations()
    assert read_calibrations(index.folder, index.manifest) == Calibrations()


def test_headings_are_searched_where_they_are_unknown(index: TileIndex, root: Path) -> None:
    protocol = QueryProtocol(heading="unknown", fov_deg=180.0, headings=4)
    asked = ask(index, root / "photos" / "pairs.csv", protocol)
    assert asked.conditions == Conditions((180.0, 180.0), headings=4)
    assert len(asked.photos[0].candidates.scores) == 20


def test_photos_without_a_place_are_counted(index: TileIndex, tmp_path: Path) -> None:
    pairs = write_photos(tmp_path / "photos", index, count=3)
    lines = pairs.read_text().splitlines()
    pairs.write_text("\n".join([lines[0], *lines[1:3], "2.png,2.png,,,0,40"]) + "\n")
    with pytest.raises(BadPhotos, match=r"1 of 3 photos have no lat, lon, 2.png for one"):
        ask(index, pairs)


def test_another_encoder_is_refused(index: TileIndex) -> None:
    with pytest.raises(IndexMismatch):
        Localizer(FakeEncoder("other"), index)


def test_places_on_a_tile_are_covered(index: TileIndex) -> None:
    tile = index.tile(0)
    assert index.covers(tile.bounds.centre)
    assert not index.covers(LatLon(tile.lat + 1, tile.lon))


def test_calibrations_for_different_questions_lie_side_by_side(calibrated: Path, fitted: Fitted) -> None:
    known = fitted.calibration
    (whole,) = {known.conditions.fov_deg}
    searched = replace(known, conditions=Conditions(whole, headings=24), radius_m=7.0)
    narrow = replace(known, conditions=Conditions((90.0, 90.0)), radius_m=8.0)
    for one in (searched, narrow):
        write_calibration(calibrated, one, f"diagram {one.radius_m}".encode())
    stored = opened(calibrated).calibrations
    assert set(stored.each) == {known, searched, narrow}
    assert len(list(calibrated.glob("calibration-*.png"))) == 3
    assert stored.for_question(known.conditions) == known
    assert stored.for_question(searched.conditions) == searched
    assert stored.for_question(Conditions(whole, headings=8)) is None
    again = replace(searched, radius_m=9.0)
    write_calibration(calibrated, again, b"another diagram")
    assert set(opened(calibrated).calibrations.each) == {known, again, narrow}
    assert len(list(calibrated.glob("calibration-*.png"))) == 3
    wide = replace(known, conditions=Conditions((60.0, 360.0)))
    write_calibration(calibrated, wide, b"of both")
    assert set(opened(calibrated).calibrations.each) == {wide, again}


def test_the_file_of_an_older_version_is_read(calibrated: Path, fitted: Fitted) -> None:
    path = calibrated / "calibration.json"
    new = json.loads(path.read_bytes())
    (old,) = new["calibrations"]
    del old["diagram"]
    old |= {"format": new["format"], "version": 2, "files": new["files"]}
    path.write_bytes(canonical_json(old | {"digest": sha256_bytes(canonical_json(old))}))
    assert opened(calibrated).calibrations.each == (fitted.calibration,)
    searched = replace(fitted.calibration, conditions=Conditions((360.0, 360.0), headings=24))
    write_calibration(calibrated, searched, b"another")
    assert set(opened(calibrated).calibrations.each) == {fitted.calibration, searched}
    assert json.loads(path.read_bytes())["version"] == 3


def test_what_was_fitted_for_another_index_does_not_stay(calibrated: Path, fitted: Fitted) -> None:
    other = replace(fitted.calibration, index="f" * 64, conditions=Conditions((90.0, 90.0)))
    write_calibration(calibrated, other, b"another")
    assert [one["index"] for one in json.loads((calibrated / "calibration.json").read_bytes())["calibrations"]] == [
        "f" * 64
    ]


def test_a_calibration_that_lost_its_last_newline_is_damaged(index: TileIndex, calibrated: Path) -> None:
    path = calibrated / "calibration.json"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadCalibration, match="not byte for byte what was written"):
        read_calibrations(calibrated, index.manifest)
