import pytest

from model.common.errors import BadDataset
from model.data.benchmarks.folders import first_folder, first_place, names_in, read_list, require_root, require_unique
from tests.model.data.benchmarks.trees import text

MARKERS = ("bingmap", "ACT_data.mat")


def test_a_root_holds_one_of_its_markers(tmp_path):
    with pytest.raises(
        BadDataset, match=r"there is no folder .*none; give the folder of it that holds bingmap/ or ACT"
    ):
        require_root(tmp_path / "none", "it", MARKERS)
    with pytest.raises(BadDataset, match="it holds nothing, and not bingmap/"):
        require_root(tmp_path, "it", MARKERS)
    (tmp_path / "bingmap").mkdir()
    require_root(tmp_path, "it", MARKERS)


def test_the_folder_above_or_below_is_recognised(tmp_path):
    inner = tmp_path / "archive" / "bingmap" / "19"
    inner.mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for wrong in (tmp_path, inner, inner.parent):
        with pytest.raises(BadDataset, match=r"is not the root of it, but .*archive looks like it; give that"):
            require_root(wrong, "it", MARKERS)


def test_what_a_wrong_folder_holds_is_shown_in_part(tmp_path):
    for number in range(12):
        (tmp_path / f"file{number:02d}").touch()
    with pytest.raises(BadDataset, match=r"it holds file00, .*file07, \.\.\., and not"):
        require_root(tmp_path, "it", MARKERS)


def test_the_first_place_that_is_there_is_taken(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "c").touch()
    assert first_place(tmp_path, ("a", "b", "c")) == tmp_path / "b"
    assert first_place(tmp_path, ("a",)) is None
    assert first_folder(tmp_path, ("a", "b"), "it") == tmp_path / "b"
    for candidates in (("a", "x"), ("c",)):
        with pytest.raises(BadDataset, match="lacks it: there is no"):
            first_folder(tmp_path, candidates, "it")


def test_lines_keep_their_numbers_whatever_ends_them(tmp_path):
    rows = read_list(text(tmp_path / "a.txt", ["one", "", " two "], end="\r\n", last=False))
    assert rows.lines == ((1, "one"), (3, "two"))
    assert rows.where(3) == f"{tmp_path / 'a.txt'}, line 3"
    assert "has CRLF line ends" in rows.notes[0]
    assert read_list(text(tmp_path / "b.txt", ["one"])).notes == ()


def test_a_list_is_a_text_with_lines(tmp_path):
    with pytest.raises(BadDataset, match=r"there is no list .*none\.txt"):
        read_list(tmp_path / "none.txt")
    for content, reason in ((b"\n \n", r"is empty \(3 bytes\)"), (b"\xff\xd8\xff\xe0", "is not a text file")):
        (tmp_path / "a.txt").write_bytes(content)
        with pytest.raises(BadDataset, match=reason):
            read_list(tmp_path / "a.txt")


def test_a_name_stands_once():
    require_unique([("a", "here"), ("b", "there")])
    with pytest.raises(BadDataset, match="a is named twice, by here and by there"):
        require_unique([("a", "here"), ("a", "there")])


def test_what_operating_systems_leave_behind_is_no_name(tmp_path):
    for name in ("b", "a", ".DS_Store", "._a", "Thumbs.db"):
        (tmp_path / name).touch()
    assert names_in(tmp_path) == ["a", "b"]
    assert names_in(tmp_path / "none") == []
