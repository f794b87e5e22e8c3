import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from model.common.errors import BadDataset
from model.data.benchmarks.benchmark import Split
from model.data.benchmarks.registry import parse_source
from model.data.benchmarks.sheet import draw_sheet
from model.data.benchmarks.survey import describe, evenly, survey
from tests.model.data.benchmarks.trees import picture, write_cvact, write_cvusa, write_university, write_vigor


def look(text, root, pictures=2):
    return survey(parse_source(text), root, pictures=pictures)


def words(text, root, **options):
    source = parse_source(text)
    return describe(survey(source, root, pictures=2, **options), source.benchmark)


def test_numbers_are_evenly_spaced_with_both_ends():
    assert evenly(10, 4) == [0, 3, 6, 9]
    assert evenly(2, 5) == [0, 1]
    assert evenly(1, 5) == [0]


def test_a_whole_folder_is_complete(tmp_path):
    found = look("cvusa", write_cvusa(tmp_path))
    train, val = found.splits
    assert train.complete
    assert val.complete
    assert (train.split, train.listed, train.usable, train.missing) == ("train", (4, 4), (4, 4), 0)
    assert val.located == (2, 2)
    assert val.queries.sizes_px == (("1232 x 224", 2),)
    assert val.notes == (
        "the lists name 2 queries, the publication 8,884",
        "the lists name 2 references, the publication 8,884",
    )
    report = words("cvusa", tmp_path)
    assert "2 of 2 splits are complete\nbut fewer than were published are listed in train, val: a part" in report
    assert "know: the panoramas show 360 degrees, but their sky and ground are cut off" in report
    assert "other sizes" not in report


def test_half_an_archive_without_lists_is_not_taken_for_the_whole(tmp_path):
    source = parse_source("university:drone-to-satellite")
    root = write_university(tmp_path)
    assert not survey(source, root, pictures=1).complete
    counts = Split("the same, as if so many had been published", 6, 4)
    source = replace(source, benchmark=replace(source.benchmark, splits={"drone-to-satellite": counts}))
    assert survey(source, root, pictures=1).complete
    shutil.rmtree(root / "test/gallery_satellite/0012")
    found = survey(source, root, pictures=1)
    assert not found.complete
    assert [(split["complete"], split["short"]) for split in found.as_json()["splits"]] == [(True, True)]


def test_missing_misnamed_empty_and_damaged_pictures_are_told_apart(tmp_path):
    panos = write_cvusa(tmp_path) / "streetview/panos"
    (panos / "0000001.jpg").unlink()
    (panos / "0000002.jpg").rename(panos / "0000002.JPG")
    (panos / "0000007.jpg").write_bytes(b"")
    (panos / "0000005.jpg").write_bytes((panos / "0000005.jpg").read_bytes()[:700])
    picture(tmp_path / "bingmap/19/0000023.jpg", (700, 700))
    found = look("cvusa", tmp_path)
    train, val = found.splits
    assert not found.complete
    assert (train.missing, train.misnamed, train.listed, train.usable) == (3, 1, (4, 4), (1, 1))
    assert train.first_misnamed == ((str(panos / "0000002.jpg"), str(panos / "0000002.JPG")),)
    assert "0000005.jpg" in val.queries.unreadable[0]
    report = words("cvusa", tmp_path)
    assert "missing or empty: 3 pictures, as " in report
    assert "misnamed: 1 of them are there under another name, as " in report
    assert "queries decoded: 1 of 2" in report
    assert "damaged: " in report
    assert "1 of 2 references have other sizes than the published 750 x 750; cut or resized?" in report
    assert "0 of 2 splits are complete" in report


def test_a_split_that_cannot_be_read_does_not_hide_the_others(tmp_path):
    shutil.rmtree(write_vigor(tmp_path) / "NewYork/panorama")
    found = look("vigor", tmp_path)
    assert [split.problem is None for split in found.splits] == [False, False, False, True]
    assert "lacks the panoramas of NewYork" in found.splits[0].problem
    assert "1 of 4 splits are complete" in words("vigor", tmp_path)


def test_one_split_may_be_asked_for(tmp_path):
    write_cvact(tmp_path)
    shutil.rmtree(tmp_path / "ANU_data_test")
    assert [split.split for split in look("cvact:val", tmp_path).splits] == ["val"]
    assert look("cvact:val", tmp_path).splits[0].complete
    assert (look("cvact:test", tmp_path).splits[0].usable, look("cvact", tmp_path).complete) == ((0, 0), False)


def test_several_positives_and_both_views_are_counted(tmp_path):
    found = look("university:satellite-to-drone", write_university(tmp_path))
    assert (found.splits[0].several, found.splits[0].located) == (2, (0, 0))
    assert found.splits[0].queries.sizes_px == (("512 x 512", 2),)
    report = words("university:satellite-to-drone", tmp_path)
    assert "with several positives: 2 queries" in report
    assert "references decoded: 2 of 2" in report


def test_a_wrong_root_is_an_error_not_a_report(tmp_path):
    with pytest.raises(BadDataset, match="is not the root of vigor"):
        look("vigor", tmp_path)


def marks(path, box):
    """Pixels of the marks' colour within (left, top, right, bottom)."""
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet.convert("RGB").crop(box)).astype(int)
    return np.argwhere((pixels[..., 0] > 200) & (pixels[..., 1] < 60) & (pixels[..., 2] < 120))


def test_the_sheet_marks_north_and_the_place_in_the_tile(tmp_path):
    source = parse_source("vigor:same-area-test")
    found = survey(source, write_vigor(tmp_path / "vigor"), pictures=1)
    draw_sheet(found.splits, source.benchmark, tmp_path / "sheet.png", rows=2)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height == 2 * (160 + 14 + 6)
    _, columns = marks(tmp_path / "sheet.png", (0, 0, 448, 180)).T
    assert columns.mean() == pytest.approx(6 + 320 / 2, abs=2)  # 2:1 in a height of 160: the middle
    rows, columns = marks(tmp_path / "sheet.png", (452, 14, 612, 174)).T
    # Chicago's panorama 2 stands 3e-5 degrees north and 2e-5 east of its tile: 30 and 15 px of 640, a quarter here.
    assert (columns.mean(), rows.mean()) == pytest.approx((80 + 15 / 4, 80 - 30 / 4), abs=1.5)


def test_a_sheet_without_headings_has_no_marks_and_one_without_pairs_is_an_error(tmp_path):
    source = parse_source("university:drone-to-satellite")
    found = survey(source, write_university(tmp_path / "u"), pictures=1)
    draw_sheet(found.splits, source.benchmark, tmp_path / "sheet.png", rows=2)
    assert not len(marks(tmp_path / "sheet.png", (0, 0, 612, 360)))
    shutil.rmtree(tmp_path / "u/test/query_drone")
    broken = survey(source, tmp_path / "u", pictures=1)
    with pytest.raises(BadDataset, match="no pair of university can be drawn"):
        draw_sheet(broken.splits, source.benchmark, tmp_path / "sheet.png")
