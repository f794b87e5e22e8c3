import pytest

from model.common.errors import BadDataset
from model.common.geo import LatLon
from model.data.benchmarks.cvusa import CVUSA
from model.data.sources import open_pairs
from tests.model.data.benchmarks.trees import text, write_cvusa


def open_split(root, split="val"):
    return open_pairs(f"cvusa:{split}?root={root}")


def notes_of(root, split="val"):
    return "\n".join(CVUSA.read(root, split, {}).notes)


def test_pairs_come_in_the_order_of_the_list_with_coordinates_by_number(tmp_path):
    pairs = open_split(write_cvusa(tmp_path))
    assert pairs.name == "cvusa:val"
    assert [query.path.relative_to(tmp_path).as_posix() for query in pairs.queries] == [
        "streetview/panos/0000023.jpg",
        "streetview/panos/0000005.jpg",
    ]
    assert pairs.references[0].path == tmp_path / "bingmap/19/0000023.jpg"
    assert pairs.references[0].location == LatLon(30 + 23 / 10.05, -100 - 23 / 10.05)  # row 23 of all.csv, from 1
    assert pairs.queries[1].location == LatLon(30 + 5 / 10.05 + 1e-4, -100 - 5 / 10.05)
    assert (pairs.queries[0].heading_deg, pairs.queries[0].fov_deg) == (0.0, 360.0)
    assert pairs.positives.tolist() == [0, 1]
    assert pairs.semi_positives == pairs.more_positives == ()
    assert len(open_split(tmp_path, "train").queries) == 4


def test_a_doubled_folder_and_coordinates_at_the_root_are_read(tmp_path):
    pairs = open_split(write_cvusa(tmp_path, doubled=True, coordinates="all.csv"))
    assert pairs.references[0].path == tmp_path / "bingmap/bingmap/19/0000023.jpg"
    assert pairs.references[0].location is not None
    assert "bingmap/ holds another bingmap/" in notes_of(tmp_path)


def test_without_coordinates_pairs_are_read_and_it_is_noted(tmp_path):
    assert open_split(write_cvusa(tmp_path, coordinates=None)).queries[0].location is None
    assert "no coordinates: neither split_locations/all.csv nor all.csv" in notes_of(tmp_path)


def test_carriage_returns_a_byte_order_mark_and_a_missing_last_line_end_do_not_matter(tmp_path):
    write_cvusa(tmp_path)
    path = tmp_path / "splits" / "val-19zl.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    assert [query.path.name for query in open_split(tmp_path).queries] == ["0000023.jpg", "0000005.jpg"]
    assert "has CRLF line ends" in notes_of(tmp_path)


def test_what_other_code_left_in_the_folder_is_noted_and_not_read(tmp_path):
    write_cvusa(tmp_path)
    (tmp_path / "polarmap").mkdir()
    (tmp_path / "gps_dict.pkl").write_bytes(b"\x80")
    assert "polarmap/ holds tiles after a polar transform" in notes_of(tmp_path)
    assert "gps_dict.pkl is not read" in notes_of(tmp_path)


def test_a_pair_of_two_numbers_is_noted(tmp_path):
    write_cvusa(tmp_path)
    text(tmp_path / "splits/val-19zl.csv", ["bingmap/19/0000023.jpg,streetview/panos/0000005.jpg"])
    assert "1 pairs of" in notes_of(tmp_path)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["satellite,ground,annotation"], r"line 1 is 'satellite,ground,annotation'; .* no header row"),
        (["streetview/panos/0000005.jpg,bingmap/19/0000005.jpg,x"], "line 1 is 'streetview"),
        (["bingmap/19/0000005.jpg"], "line 1 is 'bingmap/19/0000005.jpg'"),
        (["bingmap/19/five.jpg,streetview/panos/0000005.jpg,x"], r"names the tile 'bingmap/19/five\.jpg'"),
        (
            ["bingmap/19/0000005.jpg,streetview/panos/0000005.jpg,x"] * 2,
            r"pair 5 is named twice, by .*line 1 and by .*line 2; remove one",
        ),
        (["bingmap/19/0000099.jpg,streetview/panos/0000099.jpg,x"], r"all\.csv has 23 rows; pair 99 needs row 99"),
        ([], r"val-19zl\.csv is empty"),
    ],
)
def test_a_wrong_list_says_which_line_and_why(tmp_path, rows, reason):
    write_cvusa(tmp_path)
    text(tmp_path / "splits/val-19zl.csv", rows, last=bool(rows))
    with pytest.raises(BadDataset, match=reason):
        open_split(tmp_path)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("-90.5,35.1,-90.5,35.1,0", r"line 5: -90\.5, 35\.1 is longitude, latitude"),
        ("-122.5,37.1,-122.5,37.1,0", r"line 5: -122\.5, 37\.1 is longitude, latitude"),
        ("3506.3,-9030.6,3506.3,-9030.6,0", r"line 5: 3506\.3, -9030\.6 is in degrees and minutes"),
        ("35°6.3',-90°30.6',35,-90,0", "are not two numbers of decimal degrees"),
        ("nan,-90,35,-90,0", "are not two numbers of decimal degrees"),
        ("-35.1,149.2,-35.1,149.2,0", "lies outside the data set's area"),
        ("35.1,-90.5", "give sat_lat,sat_lon,ground_lat,ground_lon"),
    ],
)
def test_coordinates_that_cannot_be_are_explained(tmp_path, row, reason):
    path = write_cvusa(tmp_path) / "split_locations/all.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], row, *lines[5:]]) + "\n")
    with pytest.raises(BadDataset, match=reason):
        open_split(tmp_path)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (["sat_lat,sat_lon,ground_lat,ground_lon,x"], r"line 1: the coordinates 'sat_lat', 'sat_lon' are not two num"),
        ([""], r"all\.csv has 1 empty lines before line 2; rows count"),
    ],
)
def test_rows_that_are_shifted_by_a_line_are_refused_although_every_place_is_possible(tmp_path, before, reason):
    path = write_cvusa(tmp_path) / "split_locations/all.csv"
    text(path, [*before, *path.read_text().splitlines()])
    with pytest.raises(BadDataset, match=reason):
        open_split(tmp_path)


def test_degrees_with_minutes_as_their_decimals_are_noted(tmp_path):
    write_cvusa(tmp_path, train=range(1, 61))
    assert "DD.MM" not in notes_of(tmp_path, "train")
    places = [f"{30 + n % 60 / 100 + n // 9},{-100 - n % 59 / 100},{30 + n % 60 / 100},-100.30,0" for n in range(60)]
    text(tmp_path / "split_locations/all.csv", places)
    assert "are these degrees.minutes (DD.MM)?" in notes_of(tmp_path, "train")
