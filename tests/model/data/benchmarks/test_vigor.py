import re
import shutil

import numpy as np
import pytest

from model.common.errors import BadDataset
from model.common.geo import LatLon
from model.data.benchmarks.coordinates import offset_px
from model.data.benchmarks.folders import read_list
from model.data.benchmarks.vigor import VIGOR
from model.data.sources import open_pairs
from tests.model.data.benchmarks.trees import CITIES, text, vigor_label, vigor_tiles, write_vigor


def open_split(root, split="same-area-test", options=""):
    return open_pairs(f"vigor:{split}?root={root}{options}")


def notes_of(root, split="same-area-test", labels="original"):
    return "\n".join(VIGOR.read(root, split, {"labels": labels}).notes)


def change_label(root, change, city="Seattle"):
    path = root / "splits" / city / "same_area_balanced_test.txt"
    lines = path.read_text().splitlines()
    text(path, [change(lines[0]), *lines[1:]])


def test_same_area_has_all_tiles_of_four_cities(tmp_path):
    pairs = open_split(write_vigor(tmp_path))
    assert pairs.name == "vigor:same-area-test (original labels)"
    assert (len(pairs.queries), len(pairs.references)) == (8, 64)
    assert [tile.path.parts[-3] for tile in pairs.references[::16]] == list(CITIES)
    last = pairs.queries[7]
    assert last.path == tmp_path / "Seattle/panorama" / vigor_label("Seattle", 3).split()[0]
    assert last.path.name.endswith(",.jpg")
    assert last.location == LatLon(*map(float, last.path.name.split(",")[1:3]))
    assert (last.heading_deg, last.fov_deg) == (0.0, 360.0)
    assert pairs.positives.tolist() == [5, 6, 21, 22, 37, 38, 53, 54]
    assert pairs.semi_positives[7] == (55, 58, 59)
    tile = pairs.references[54]
    assert tile.path == tmp_path / "Seattle/satellite" / vigor_tiles("Seattle")[6]
    assert tile.location == LatLon(*map(float, re.findall(r"-?\d+\.\d+", tile.path.name)))


@pytest.mark.parametrize(
    ("split", "cities", "queries"),
    [
        ("same-area-train", CITIES, 8),
        ("cross-area-train", ("NewYork", "Seattle"), 8),
        ("cross-area-test", ("Chicago", "SanFrancisco"), 8),
    ],
)
def test_each_split_has_its_cities(tmp_path, split, cities, queries):
    pairs = open_split(write_vigor(tmp_path), split)
    assert (len(pairs.queries), len(pairs.references)) == (queries, 16 * len(cities))
    assert {query.path.parts[-3] for query in pairs.queries} == set(cities)


def test_both_layouts_hold_the_same_pairs(tmp_path):
    official = open_split(write_vigor(tmp_path / "official"))
    moved = open_split(write_vigor(tmp_path / "moved", layout="moved"))
    assert moved.queries[0].path.relative_to(tmp_path / "moved").parts[:2] == ("ground", "Chicago")
    assert moved.references[0].path.relative_to(tmp_path / "moved").parts[:2] == ("satellite", "Chicago")
    for ours, theirs in zip(
        (*official.queries, *official.references), (*moved.queries, *moved.references), strict=True
    ):
        assert (ours.path.name, ours.location) == (theirs.path.name, theirs.location)
    assert official.positives.tolist() == moved.positives.tolist()


def test_corrected_labels_carry_their_suffix_in_folder_and_file(tmp_path):
    root = write_vigor(tmp_path, corrected=True)
    assert not (root / "splits").exists()
    pairs = open_split(root, options="&labels=corrected")
    assert pairs.name == "vigor:same-area-test (corrected labels)"
    assert len(pairs.queries) == 8
    with pytest.raises(BadDataset, match="lacks the original label lists of Chicago: there is no splits/Chicago"):
        open_split(root)


def test_corrected_labels_beside_the_original_ones_and_without_suffix_are_read(tmp_path):
    root = write_vigor(tmp_path)
    shutil.copytree(root / "splits", root / "splits__corrected")
    for path in root.glob("splits__corrected/*/satellite_list.txt"):
        path.unlink()  # then the original one serves
    assert len(open_split(root, options="&labels=corrected").references) == 64
    for path in root.glob("splits__corrected/*/*_test.txt"):
        path.rename(path.with_name(f"{path.stem}__corrected.txt"))
    assert len(open_split(root, options="&labels=corrected").queries) == 8


def test_new_yorks_list_has_carriage_returns_and_no_last_line_end(tmp_path):
    root = write_vigor(tmp_path)
    path = root / "splits/NewYork/satellite_list.txt"
    assert b"\r\n" in path.read_bytes()
    assert not path.read_bytes().endswith(b"\n")
    assert "NewYork/satellite_list.txt has CRLF line ends" in notes_of(root)
    assert len(open_split(root, "cross-area-train").references) == 32


def test_semi_positives_that_do_not_show_the_place_are_counted(tmp_path):
    assert "8 of 24 semi-positives lie more than 320 px off" in notes_of(write_vigor(tmp_path))


def test_a_panorama_far_from_its_tile_is_noted(tmp_path):
    root = write_vigor(tmp_path, pictures=False)
    for city in CITIES:
        (root / city / "satellite").mkdir(parents=True)
        (root / city / "panorama").mkdir()
    assert "from their positive tile" not in notes_of(root)
    change_label(root, lambda line: re.sub(r",47\.\d+", ",47.600000", line))
    assert "1 panoramas lie more than 60 m from their positive tile, the farthest Sepano_2-,47.6" in notes_of(root)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line: line.rsplit(" ", 3)[0], "line 1 has 10 fields; a label has 13"),
        (lambda line: line.replace(" -10.0 ", " ten ", 1), "line 1: an offset is no number of pixels"),
        (lambda line: line.replace(",.jpg", ".jpg"), "panoramas are called ID,LAT,LON,.jpg with that last comma"),
        (
            lambda line: re.sub(r"satellite_47", "satellite_48", line, count=1),
            "names satellite_48.* not in .*satellite_",
        ),
        (lambda line: re.sub(r",(47\.\d+),(-122\.\d+)", r",\2,\1", line), "is longitude, latitude"),
        (lambda line: re.sub(r",47\.\d+,-122\.\d+", ",4733.5,-12220.3", line), "is in degrees and minutes"),
        (lambda line: re.sub(r",47\.\d+,", ",47°33',", line), "are not two numbers of decimal degrees"),
        (lambda line: re.sub(r",47\.\d+,", ",40.7,", line), "lies outside the data set's area"),
        (lambda line: " ".join([*line.split()[:4], *line.split()[1:4], *line.split()[7:]]), "names a tile twice"),
    ],
)
def test_a_wrong_label_says_which_line_and_why(tmp_path, change, reason):
    root = write_vigor(tmp_path)
    change_label(root, change)
    with pytest.raises(BadDataset, match=reason) as error:
        open_split(root)
    assert "\n" not in str(error.value)


def test_names_that_come_twice_are_refused(tmp_path):
    root = write_vigor(tmp_path)
    path = root / "splits/Seattle/same_area_balanced_test.txt"
    lines = path.read_text().splitlines()
    text(path, [*lines, lines[0]])
    with pytest.raises(BadDataset, match=r"Sepano_2-,.*,\.jpg is named twice, by .*line 1 and by .*line 3"):
        open_split(root)
    text(path, lines)
    text(root / "splits/Seattle/satellite_list.txt", vigor_tiles("Seattle") + vigor_tiles("Seattle")[:1])
    with pytest.raises(BadDataset, match=r"satellite_47.* is named twice"):
        open_split(root)


@pytest.mark.parametrize("tile", ["satellite_47.5583.png", "tile_1_2.png", "satellite_47.5583_-122.3384.jpg"])
def test_a_tile_without_coordinates_in_its_name_is_refused(tmp_path, tile):
    root = write_vigor(tmp_path)
    text(root / "splits/Seattle/satellite_list.txt", [*vigor_tiles("Seattle"), tile])
    with pytest.raises(BadDataset, match=r"tiles are called satellite_LAT_LON\.png"):
        open_split(root)


def test_a_city_that_was_not_unpacked_is_named(tmp_path):
    root = write_vigor(tmp_path)
    shutil.rmtree(root / "NewYork" / "panorama")
    with pytest.raises(BadDataset, match="lacks the panoramas of NewYork: there is no NewYork/panorama and no ground/"):
        open_split(root)


@pytest.fixture
def real(shared_data, tmp_path):
    """The real tile lists and the first 2,000 real corrected labels of Seattle, a made label elsewhere; no pictures."""
    files, labels = shared_data / "vigor_tiles", "same_area_balanced_test__corrected"
    for city in CITIES:
        lists = tmp_path / "splits__corrected" / city
        lists.mkdir(parents=True)
        shutil.copy(files / f"{city}.txt", lists / "satellite_list.txt")
        tiles = (files / f"{city}.txt").read_text().split()[:4]
        place = ",".join(re.findall(r"-?\d+\.\d+", tiles[0]))
        text(lists / f"{labels}.txt", [" ".join([f"{city},{place},.jpg", *(f"{tile} 0 0" for tile in tiles)])])
        for kind in ("satellite", "panorama"):
            (tmp_path / city / kind).mkdir(parents=True)
    shutil.copy(files / f"Seattle_{labels}.head2000.txt", tmp_path / "splits__corrected/Seattle" / f"{labels}.txt")
    return tmp_path


def test_the_real_lists_of_90618_tiles_are_read(shared_data):
    counts = {city: len(read_list(shared_data / "vigor_tiles" / f"{city}.txt").lines) for city in CITIES}
    assert counts == {"Chicago": 22_308, "NewYork": 23_279, "SanFrancisco": 24_255, "Seattle": 20_776}
    assert sum(counts.values()) == VIGOR.splits["same-area-test"].references


def test_real_labels_name_real_tiles_and_their_offsets_agree_with_the_coordinates(real):
    listing = VIGOR.read(real, "same-area-test", {"labels": "corrected"})
    pairs, notes = listing.pairs, "\n".join(listing.notes)
    assert (len(pairs.queries), len(pairs.references)) == (2_003, 90_618)
    labels = read_list(real / "splits__corrected/Seattle/same_area_balanced_test__corrected.txt")
    stated = np.array([[float(value) for value in line.split()[2:4]] for _, line in labels.lines])  # (dlat, dlon)
    found = np.array([
        offset_px(query.location, pairs.references[row].location, VIGOR.zoom)
        for query, row in zip(pairs.queries[3:], pairs.positives[3:].tolist(), strict=True)
    ])  # fmt: skip
    assert np.abs(found[:, 1] - stated[:, 0]).max() < 3  # dlat counts down; 3 px are 0.3 m
    assert np.abs(found[:, 0] + stated[:, 1]).max() < 3  # dlon counts to the left
    assert "NewYork/satellite_list.txt has CRLF" in notes
    assert "semi-positives lie more than 320 px off" in notes
    assert "from their positive tile" not in notes
