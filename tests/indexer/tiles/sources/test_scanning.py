from indexer.tiles.sources.scanning import scan_pictures


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"123")


def test_pictures_are_found_by_suffix_and_sorted(tmp_path):
    write(tmp_path, "b/2.PNG", "b/1.jpg", "a.webp", "notes.txt", ".hidden/3.png", "b/.4.png")
    found = scan_pictures(tmp_path)
    assert [picture.name for picture in found.pictures] == ["a.webp", "b/1.jpg", "b/2.PNG"]
    assert {picture.size_bytes for picture in found.pictures} == {3}
    assert found.again == []


def test_a_folder_behind_two_names_is_entered_once_by_its_real_one(tmp_path):
    write(tmp_path, "real/1.png")
    (tmp_path / "a-link").symlink_to("real", target_is_directory=True)
    (tmp_path / "real" / "round").symlink_to("..", target_is_directory=True)
    found = scan_pictures(tmp_path)
    assert [picture.name for picture in found.pictures] == ["real/1.png"]
    assert sorted(found.again) == ["a-link", "real/round"]


def test_a_link_to_nothing_is_listed_and_fails_when_it_is_read(tmp_path):
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "self.png").symlink_to("self.png")
    assert [(one.name, one.size_bytes, one.stamp) for one in scan_pictures(tmp_path).pictures] == [
        ("gone.png", 0, 0),
        ("self.png", 0, 0),
    ]
