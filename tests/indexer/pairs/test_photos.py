from pathlib import Path

import pytest

from indexer.common.errors import BadPhotos
from indexer.pairs.photos import find_photos
from model.inputs.photo_view import GivenView
from tests.indexer.pairs.city import write_photo


def test_a_folder_gives_its_photos_by_name_and_leaves_positions_to_them(tmp_path: Path) -> None:
    for name in ("b.jpg", "deep/a.jpg"):
        write_photo(tmp_path / name, None)
    (tmp_path / "notes.txt").write_text("no photo")
    found = find_photos(tmp_path, GivenView(fov_deg=90.0))
    assert [photo.name for photo in found] == ["b.jpg", "deep/a.jpg"]
    assert {(photo.lat, photo.lon, photo.given.fov_deg) for photo in found} == {(None, None, 90.0)}


def test_a_folder_may_be_a_relative_path_or_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photo(tmp_path / "city/deep/a.jpg", None)
    (tmp_path / "link").symlink_to(tmp_path / "city")
    monkeypatch.chdir(tmp_path)
    for source in ("city", "city/", "link", "city/../city", "city/deep/a.jpg"):
        (photo,) = find_photos(Path(source), GivenView())
        assert photo.name == ("a.jpg" if source.endswith(".jpg") else "deep/a.jpg")
        assert photo.path.is_file()


def test_an_export_of_a_photo_service_is_read_as_it_is(tmp_path: Path) -> None:
    table = tmp_path / "export.csv"
    table.write_text(
        "id,filename,latitude,longitude,compass_angle,computed_compass_angle,is_pano\n"
        "1,a.jpg,47.1,8.5,12,13.5,true\n"
        "2,b.jpg,47.2,8.6,350,,false\n"
    )
    first, second = find_photos(table, GivenView(heading_deg=1.0))
    assert (first.path, first.lat, first.lon, first.given.heading_deg) == (tmp_path / "a.jpg", 47.1, 8.5, 13.5)
    assert second.given.heading_deg == 350.0, "what was computed is missing, so the compass counts"


def test_what_the_table_leaves_empty_is_what_holds_for_all(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("photo;lat;lon;heading\na.jpg;47,1;8,5;\n")
    (only,) = find_photos(table, GivenView(heading_deg=7.0))
    assert (only.lat, only.given.heading_deg) == (47.1, 7.0)


def test_tiles_of_a_manifest_are_no_photos(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("query,reference,lat,lon\na.jpg,t.jpg,47,8\n,t2.jpg,,\n")
    assert [photo.name for photo in find_photos(table, GivenView())] == ["a.jpg"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("photo,lat\na.jpg,47\n", r"lacks the columns lon \(or lng, longitude"),
        ("photo,lat,lon\n", "names no photo"),
        ("photo,lat,lon\na.jpg,north,8\n", "row 2: lat is 'north'; give a number"),
        ("photo,lat,lon\n,47,8\n", "row 2: its photo is empty"),
        ("photo,lat,lon,heading\na.jpg,47,8,400\n", "row 2: heading_deg: the heading is 400"),
        ("photo,lat,lon\na.jpg,47\n", "row 2 has 2 values and the header 3"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadPhotos, match=reason):
        find_photos(tmp_path / "t.csv", GivenView())


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadPhotos, match="does not exist"):
        find_photos(tmp_path / "none", GivenView())
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadPhotos, match="holds no photo"):
        find_photos(tmp_path / "empty", GivenView())
