import os
import shutil
from pathlib import Path

import pytest

from indexer.tiles.sources.scanning import files_beside, scan_pictures


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def test_pictures_are_found_in_every_folder_and_sorted(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "a/1.jpg", "c.webp", "a/x.txt", ".hidden/1.png", "a/.1.png"):
        touch(tmp_path / name)
    scan = scan_pictures(tmp_path)
    assert [picture.name for picture in scan.pictures] == ["a/1.jpg", "b/2.PNG", "c.webp"]
    assert {picture.state[0] for picture in scan.pictures} == {1}
    assert scan.again == []


def test_a_real_folder_keeps_its_name_where_a_link_comes_first(tmp_path: Path) -> None:
    touch(tmp_path / "z" / "1.png")
    (tmp_path / "a").symlink_to("z")
    scan = scan_pictures(tmp_path)
    assert ([picture.name for picture in scan.pictures], scan.again) == (["z/1.png"], ["a"])


def test_a_link_to_itself_is_no_folder(tmp_path: Path) -> None:
    touch(tmp_path / "1.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert [(picture.name, picture.state[0]) for picture in scan_pictures(tmp_path).pictures] == [
        ("1.png", 1),
        ("loop.png", 0),
    ]


def test_files_beside_are_those_of_the_folder_itself(tmp_path: Path) -> None:
    for name in ("b.TIF", "a.tif", "c.png", "sub/d.tif"):
        touch(tmp_path / name)
    (tmp_path / "folder.tif").mkdir()
    assert [path.name for path in files_beside(tmp_path, {".tif"})] == ["a.tif", "b.TIF"]


@pytest.mark.parametrize("name", ["new.png", "a/new.png", "a/b/new.png", "c/new.png"])
def test_a_name_that_came_or_went_is_seen_at_the_folders_alone(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "a" / "b" / "1.png")
    for folder in (tmp_path / "a" / "b", tmp_path / "a", tmp_path):  # longer ago than a file system's clock is coarse
        os.utime(folder, ns=(0, 1))
    scan = scan_pictures(tmp_path)
    assert set(scan.folders) == {"", "a/", "a/b/"}
    (tmp_path / "a" / "b" / "1.png").write_bytes(b"other")
    assert scan.still_holds(tmp_path)
    touch(tmp_path / name)
    assert not scan.still_holds(tmp_path)


def test_a_folder_that_went_is_seen(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.png")
    scan = scan_pictures(tmp_path)
    shutil.rmtree(tmp_path / "a")
    assert not scan.still_holds(tmp_path)
