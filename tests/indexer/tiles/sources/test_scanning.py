"""A folder is walked once, whatever its links, and a link to nothing is a bad tile and no end."""

from indexer.tiles.sources.scanning import FoundPicture, scan_pictures
from tests.inputs.making import write_tile


def names(scan):
    return [picture.name for picture in scan.pictures]


def test_pictures_are_found_at_every_depth_sorted_and_nothing_else(tmp_path):
    for name in ("b/2.png", "b/1.JPG", "a.webp", ".hidden/3.png", "b/.4.png"):
        write_tile(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    assert names(scan_pictures(tmp_path)) == ["a.webp", "b/1.JPG", "b/2.png"]


def test_size_and_time_are_those_of_the_file(tmp_path):
    path = write_tile(tmp_path / "a.png")
    stat = path.stat()
    assert scan_pictures(tmp_path).pictures == [FoundPicture("a.png", stat.st_size, stat.st_mtime_ns)]


def test_a_circle_of_links_is_walked_once_and_told(tmp_path):
    write_tile(tmp_path / "real/1.png")
    (tmp_path / "real/up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "real")
    scan = scan_pictures(tmp_path)
    assert names(scan) == ["real/1.png"]
    assert sorted(scan.again) == ["again", "real/up"]


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path):
    write_tile(tmp_path / "elsewhere/1.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/linked").symlink_to(tmp_path / "elsewhere")
    scan = scan_pictures(tmp_path / "root")
    assert (names(scan), scan.again) == (["linked/1.png"], [])


def test_a_link_to_nothing_is_listed_and_fails_when_it_is_read(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "round.png").symlink_to(tmp_path / "round.png")
    assert scan_pictures(tmp_path).pictures == [FoundPicture("gone.png", 0, 0), FoundPicture("round.png", 0, 0)]
