"""Which photos are asked: files, folders and tables, and what is wrong with a table."""

import math
import os
from pathlib import Path

import pytest

from indexer.common.errors import BadPhotos
from indexer.localization.photo_list import PhotoRequest, list_photos
from indexer.tiles.region import BoxRegion, CircleRegion
from model.common.geo import Bounds, LatLon
from model.inputs.photo_view import GivenView

PLAIN = PhotoRequest(Path())


def touched(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def of_table(folder: Path, text: str | bytes, defaults: PhotoRequest = PLAIN) -> list[PhotoRequest]:
    data = text.encode() if isinstance(text, str) else text
    (folder / "photos.csv").write_bytes(data)
    return list_photos([folder / "photos.csv"], defaults)


def test_a_folder_is_searched_by_name_with_all_below_it(tmp_path: Path) -> None:
    wanted = touched(tmp_path, "a.JPG", "b.heic", "deep/c.tif", "deep/er/d.avif")
    touched(tmp_path, ".hidden.jpg", "notes.txt", "photos.csv", "movie.mp4")
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    assert [request.path for request in list_photos([tmp_path], PLAIN)] == wanted


def test_what_may_never_end_is_passed_over_and_a_broken_link_is_told(tmp_path: Path) -> None:
    touched(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "round.jpg").symlink_to("round.jpg")
    (tmp_path / "nowhere.jpg").symlink_to("gone.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "round").symlink_to(tmp_path)
    assert [asked.path.name for asked in list_photos([tmp_path], PLAIN)] == ["a.jpg", "nowhere.jpg", "round.jpg"]


def test_of_a_photo_and_a_link_to_it_the_first_is_asked(tmp_path: Path) -> None:
    touched(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    assert [asked.path.name for asked in list_photos([tmp_path], PLAIN)] == ["a.jpg"]


def test_a_copy_lies_as_its_photo_does_below_what_was_asked_for(tmp_path: Path) -> None:
    touched(tmp_path, "deep/a.jpg")
    (tmp_path / "t.csv").write_text(f"photo\ndeep/b.jpg\n../c.jpg\n{tmp_path}/deep/d.jpg\n")
    asked = list_photos([tmp_path / "deep" / "a.jpg", tmp_path / "t.csv"], PLAIN)
    assert [one.under.as_posix() for one in asked] == ["a.jpg", "deep/b.jpg", "c.jpg", "d.jpg"]
    assert [one.under.as_posix() for one in list_photos([tmp_path], PLAIN)] == ["deep/a.jpg"]


def test_the_same_question_counts_once_and_another_question_counts(tmp_path: Path) -> None:
    (photo,) = touched(tmp_path, "a.jpg")
    (tmp_path / "link.jpg").symlink_to(photo)
    assert len(list_photos([photo, tmp_path, tmp_path / "." / "a.jpg"], PLAIN)) == 1
    asked = of_table(tmp_path, "photo,heading_deg\na.jpg,1\na.jpg,2\na.jpg,1\n")
    assert [request.given.heading_deg for request in asked] == [1.0, 2.0]


def test_a_row_says_what_the_options_do_not(tmp_path: Path) -> None:
    text = "photo,heading_deg,fov_deg,vertical_deg,near_lat,near_lon,radius_m\nx/a.jpg,-90,70,50,47.5,8.5,300\nb.jpg\n"
    box = BoxRegion(Bounds(0.0, 0.0, 1.0, 1.0))
    first, second = of_table(tmp_path, text, PhotoRequest(Path(), GivenView(heading_deg="unknown"), box, 50.0))
    assert first == PhotoRequest(
        tmp_path / "x" / "a.jpg", GivenView(-90.0, 70.0, 50.0), CircleRegion(LatLon(47.5, 8.5), 300.0)
    )
    assert second == PhotoRequest(tmp_path / "b.jpg", GivenView(heading_deg="unknown"), box, 50.0)


def test_a_table_as_a_spreadsheet_writes_it_is_read(tmp_path: Path) -> None:
    asked = of_table(tmp_path, '\ufeffphoto,heading_deg\r\n"a, b.jpg", unknown \r\n\r\nc.jpg,\r\n')
    assert [request.path.name for request in asked] == ["a, b.jpg", "c.jpg"]
    assert [request.given.heading_deg for request in asked] == ["unknown", None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path\na.jpg\n", r"the unknown columns 'path'; known columns are photo, heading_deg"),
        ("heading_deg\n9\n", "has no column 'photo'; its header is heading_deg"),
        ("", "has no column 'photo'; its header is empty"),
        ("photo,lat,lon\na.jpg,1,2\n", "a known position is not used; call it near_lat and near_lon"),
        ("photo,Latitude\na.jpg,1\n", "a known position is not used; call it near_lat and near_lon"),
        ("photo;heading_deg\na.jpg;1\n", "separated by semicolons"),
        ("photo,photo\na.jpg,b.jpg\n", "'photo' twice"),
        ('photo,heading_deg\na.jpg,"8,5"\n', r"line 2: heading_deg is '8,5'; give a number \(write decimals with a"),
        ("photo,heading_deg\na.jpg,8_5\n", "line 2: heading_deg is '8_5'; give a number$"),
        ("photo,heading_deg\na.jpg,8,5\n", "line 2: it has more values than the header has columns"),
        (
            "photo,near_lat,near_lon,radius_m\na.jpg,151.2,-33.9,50\n",
            "near_lat is 151.2 and near_lon -33.9; are",
        ),
        ("photo,near_lat,near_lon,radius_m\na.jpg,95,190,50\n", "line 2: the latitude|line 2: .*lat"),
        ("photo,near_lat,near_lon\na.jpg,1,2\n", "near_lat, near_lon alone says no area"),
        ("photo,near_lat,near_lon,radius_m\na.jpg,1,2,-5\n", "line 2: .*radius"),
        ("photo,near_lat,near_lon,radius_m\na.jpg,1,2,nan\n", "line 2: .*radius"),
        ("photo,heading_deg\na.jpg,361\n", r"line 2: heading_deg: the heading is 361"),
        ("photo,heading_deg\na.jpg,nan\n", r"line 2: heading_deg is 'nan'; give a number"),
        ("photo,heading_deg\na.jpg,4294967206\n", r"line 2: heading_deg: the heading is 4294967206"),
        ("photo,heading_deg\na.jpg,north\n", "line 2: heading_deg is 'north'; give a number"),
        ("photo,fov_deg\na.jpg,0\n", "line 2: fov_deg is 0.0"),
        ("photo,heading_deg\nb.jpg,1\n,5\n", "line 3: its photo is empty"),
        (b"photo\ncaf\xe9.jpg\n", "cannot be read as a UTF-8 CSV table: .*; save it as CSV UTF-8"),
        ("photo\n", "holds no photo"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(BadPhotos, match=message):
        of_table(tmp_path, text)


@pytest.mark.parametrize(("text", "heading"), [("360", 0.0), ("-0", 0.0), ("-360", 0.0), ("359.9", 359.9)])
def test_a_heading_at_the_edge_is_taken(tmp_path: Path, text: str, heading: float) -> None:
    (asked,) = of_table(tmp_path, f"photo,heading_deg\na.jpg,{text}\n")
    assert isinstance(asked.given.heading_deg, float)
    assert math.isclose(asked.given.heading_deg % 360.0, heading)


def test_nothing_to_ask_is_said(tmp_path: Path) -> None:
    touched(tmp_path, "notes.txt")
    with pytest.raises(BadPhotos, match=r"holds no photo; photos end in \.avif, \.heic"):
        list_photos([tmp_path], PLAIN)
    with pytest.raises(BadPhotos, match="missing does not exist"):
        list_photos([tmp_path / "missing"], PLAIN)
    with pytest.raises(BadPhotos, match="no source holds no photo"):
        list_photos([], PLAIN)
