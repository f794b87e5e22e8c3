import shutil

import pytest

from model.common.errors import BadDataset
from model.data.benchmarks.university import UNIVERSITY
from model.data.sources import open_pairs
from tests.model.data.benchmarks.trees import picture, write_university


def open_split(root, split):
    return open_pairs(f"university:{split}?root={root}")


def names(items, root):
    return [item.path.relative_to(root).as_posix() for item in items]


def rows(pairs):
    return [found.tolist() for found in pairs.positive_rows()]


def test_drone_views_ask_for_one_tile_among_all_buildings(tmp_path):
    pairs = open_split(write_university(tmp_path), "drone-to-satellite")
    assert names(pairs.queries, tmp_path)[:4] == [
        *(f"test/query_drone/0003/image-0{number}.jpeg" for number in (1, 2, 3)),
        "test/query_drone/0010/image-01.jpeg",
    ]
    assert names(pairs.references, tmp_path) == [
        f"test/gallery_satellite/{number}/{number}.jpg" for number in ("0003", "0010", "0011", "0012")
    ]
    assert pairs.positives.tolist() == [0, 0, 0, 1, 1, 1]
    assert pairs.more_positives == ()
    assert (pairs.query_view, pairs.reference_view) == ("ground", "satellite")
    assert pairs.queries[0].location is None


def test_a_tile_asks_for_all_drone_views_of_its_building(tmp_path):
    pairs = open_split(write_university(tmp_path), "satellite-to-drone")
    assert names(pairs.queries, tmp_path) == [f"test/query_satellite/{n}/{n}.jpg" for n in ("0003", "0010")]
    assert len(pairs.references) == 12
    assert rows(pairs) == [[0, 1, 2], [3, 4, 5]]
    assert pairs.positives.tolist() == [0, 3]
    assert (pairs.query_view, pairs.reference_view) == ("satellite", "ground")


def test_a_building_has_54_drone_views_and_as_many_positives(tmp_path):
    pairs = open_split(write_university(tmp_path, drones=54), "satellite-to-drone")
    assert [len(found) for found in rows(pairs)] == [54, 54]
    assert not UNIVERSITY.read(tmp_path, "satellite-to-drone", {}).notes


def test_street_pictures_ask_and_are_asked_for(tmp_path):
    write_university(tmp_path)
    pairs = open_split(tmp_path, "street-to-satellite")
    assert names(pairs.queries, tmp_path)[1:] == ["test/query_street/0010/1.jpg", "test/query_street/0010/2.JPG"]
    assert pairs.positives.tolist() == [0, 1, 1]
    assert rows(open_split(tmp_path, "satellite-to-street")) == [[0], [1]]


@pytest.mark.parametrize(("split", "queries"), [("train", 6), ("train-street", 2), ("train-google", 1)])
def test_training_pairs_a_view_with_its_tile(tmp_path, split, queries):
    pairs = open_split(write_university(tmp_path), split)
    assert (len(pairs.queries), len(pairs.references)) == (queries, 2)
    assert pairs.more_positives == ()


def test_a_building_without_pictures_and_another_count_of_views_are_noted(tmp_path):
    write_university(tmp_path)
    notes = "\n".join(UNIVERSITY.read(tmp_path, "train-google", {}).notes)
    assert "1 of 2 buildings in train/google have no picture, first 0002" in notes
    picture(tmp_path / "test/query_drone/0003/image-55.jpeg", (512, 512))
    notes = "\n".join(UNIVERSITY.read(tmp_path, "drone-to-satellite", {}).notes)
    assert "2 of 2 buildings in test/query_drone have another number of pictures than 54, first 0003 with 4" in notes
    assert "more than one tile" not in notes
    picture(tmp_path / "test/gallery_satellite/0003/0003.JPEG", (512, 512))
    notes = "\n".join(UNIVERSITY.read(tmp_path, "drone-to-satellite", {}).notes)
    assert "buildings in test/gallery_satellite have more than one tile, first 0003" in notes


@pytest.mark.parametrize("emptied", [False, True])
def test_a_building_that_the_gallery_lacks_is_found_missing(tmp_path, emptied):
    shutil.rmtree(write_university(tmp_path) / "test/gallery_satellite/0010")
    if emptied:
        (tmp_path / "test/gallery_satellite/0010").mkdir()
    with pytest.raises(BadDataset, match=r"names 1 of 10 pictures that are not there.*gallery_satellite/0010"):
        open_split(tmp_path, "drone-to-satellite")
    pairs = open_pairs(f"university:drone-to-satellite?root={tmp_path}&missing=skip")
    assert (len(pairs.queries), len(pairs.references)) == (3, 3)
    assert pairs.name.endswith("without 3 of 6 queries and 1 of 4 references that are missing")


def test_a_building_without_street_pictures_is_named_and_strays_are_no_pictures(tmp_path):
    write_university(tmp_path)
    shutil.rmtree(tmp_path / "test/gallery_street/0010")
    for stray in ("test/gallery_street/Thumbs.db", "test/gallery_street/0003/.DS_Store", "test/query_street/._0003"):
        (tmp_path / stray).write_bytes(b"left by a file manager")
    with pytest.raises(BadDataset, match=r"names 1 of \d+ pictures that are not there.*gallery_street/0010"):
        open_split(tmp_path, "satellite-to-street")
    assert len(open_split(tmp_path, "street-to-satellite").queries) == 3


def test_a_gallery_that_was_not_unpacked_is_named(tmp_path):
    shutil.rmtree(write_university(tmp_path) / "test/gallery_drone")
    with pytest.raises(BadDataset, match=r"there is no folder .*gallery_drone; was the archive unpacked whole"):
        open_split(tmp_path, "satellite-to-drone")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("3", "building 3 is named twice, by .*0003 and by .*3"), ("tower", "holds 'tower'")],
)
def test_folders_are_numbers_and_each_of_them_once(tmp_path, name, reason):
    (write_university(tmp_path) / "test/query_drone" / name).mkdir()
    with pytest.raises(BadDataset, match=reason):
        open_split(tmp_path, "drone-to-satellite")
