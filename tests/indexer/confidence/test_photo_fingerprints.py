"""Photos are told by their bytes, wherever they lie and however often they were asked."""

from pathlib import Path

import pytest

from indexer.confidence.photo_fingerprints import PhotoSet


def photos(folder: Path, *contents: str) -> PhotoSet:
    folder.mkdir()
    paths = [folder / f"{number}.jpg" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    return PhotoSet.of([folder.name], paths)


def test_a_copy_is_the_same_photo(tmp_path: Path) -> None:
    fitted, checked = photos(tmp_path / "a", "x", "y", "z"), photos(tmp_path / "b", "new", "y")
    assert (fitted.count, checked.count) == (3, 2)
    assert checked.shared_with(fitted) == 1
    assert photos(tmp_path / "c", "y", "y", "new").shared_with(fitted) == 2  # asked in two ways


def test_the_order_does_not_matter(tmp_path: Path) -> None:
    assert photos(tmp_path / "a", "x", "y").prints == photos(tmp_path / "b", "y", "x").prints


def test_it_survives_json(tmp_path: Path) -> None:
    one = photos(tmp_path / "a", "x", "y")
    assert PhotoSet.from_json(one.as_json()) == one
    with pytest.raises(ValueError, match="its photos are 3, but it has prints of 2"):
        PhotoSet.from_json(one.as_json() | {"count": 3})
