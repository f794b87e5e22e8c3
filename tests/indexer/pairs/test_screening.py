from pathlib import Path

import pytest

from indexer.pairs.photos import PlacedPhoto
from indexer.pairs.screening import LeftOut, Screen, UsablePhoto
from model.common.geo import LatLon, offset_m
from model.inputs.photo_view import GivenView
from tests.indexer.pairs.city import write_photo

PLACE = LatLon(47.123456, 8.654321)


def judge(path: Path, screen: Screen | None = None, **said) -> UsablePhoto | LeftOut:
    return (screen or Screen(apart_m=5.0, accuracy_m=20.0)).judge(PlacedPhoto(path, path.name, **said))


def reason_of(path: Path, **said) -> str:
    judged = judge(path, **said)
    assert isinstance(judged, LeftOut)
    return judged.reason


def test_a_photo_with_a_place_and_a_heading_passes(tmp_path: Path) -> None:
    passed = judge(write_photo(tmp_path / "a.jpg", PLACE))
    assert isinstance(passed, UsablePhoto)
    assert passed.place.lat == pytest.approx(PLACE.lat, abs=1e-6)
    assert (passed.heading_deg, passed.view.fov_deg) == (90.0, 360.0)


def test_the_table_goes_before_the_file(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.jpg", PLACE)
    passed = judge(path, lat=10.00123, lon=20.00123, given=GivenView(heading_deg=5.0))
    assert isinstance(passed, UsablePhoto)
    assert (passed.place, passed.heading_deg) == (LatLon(10.00123, 20.00123), 5.0)


def test_what_is_missing_is_the_reason(tmp_path: Path) -> None:
    assert reason_of(write_photo(tmp_path / "a.jpg", None)) == "no position"
    assert reason_of(write_photo(tmp_path / "b.jpg", LatLon(0.0, 0.0))) == "no position"
    assert reason_of(write_photo(tmp_path / "c.jpg", None), lat=0.0, lon=0.0) == "no position"
    assert reason_of(write_photo(tmp_path / "d.jpg", None), lat=91.0, lon=0.0) == "no position"
    assert reason_of(write_photo(tmp_path / "e.jpg", None), lat=47.0) == "no position"
    assert reason_of(write_photo(tmp_path / "f.jpg", PLACE, heading=None)) == "no heading"
    assert reason_of(tmp_path / "none.jpg") == "cannot be read"
    (tmp_path / "text.jpg").write_text("no picture")
    assert reason_of(tmp_path / "text.jpg", lat=PLACE.lat, lon=PLACE.lon) == "not a picture"


def test_a_photo_whose_lens_is_unknown_is_left_out_unless_the_user_knows_it(tmp_path: Path) -> None:
    from PIL import Image

    from tests.model.photo_files import exif, photo

    block = exif(position=(PLACE.lat, PLACE.lon), direction=10.0, reference="T")
    (tmp_path / "a.jpg").write_bytes(photo(picture=Image.new("RGB", (400, 300)), exif=block))
    assert reason_of(tmp_path / "a.jpg") == "no field of view"
    assert isinstance(judge(tmp_path / "a.jpg", given=GivenView(fov_deg=60.0)), UsablePhoto)


def test_a_position_that_was_blurred_is_no_position(tmp_path: Path) -> None:
    assert reason_of(write_photo(tmp_path / "a.jpg", None), lat=47.123, lon=8.654) == "blurred position"
    assert isinstance(judge(write_photo(tmp_path / "b.jpg", None), lat=47.123, lon=8.6543), UsablePhoto)
    assert reason_of(write_photo(tmp_path / "c.jpg", PLACE, error_m=150.0)) == "blurred position"
    assert isinstance(judge(write_photo(tmp_path / "d.jpg", PLACE, error_m=5.0)), UsablePhoto)


@pytest.mark.parametrize("place", [PLACE, LatLon(-16.500123, 179.9999999), LatLon(71.100123, -25.700321)])
def test_of_photos_at_one_place_the_first_stays(tmp_path: Path, place: LatLon) -> None:
    screen = Screen(apart_m=5.0, accuracy_m=20.0)
    for number, (east_m, passes) in enumerate([(0.0, True), (4.0, False), (6.0, True), (-4.5, False)]):
        at = offset_m(place, east_m=east_m, north_m=0.0)
        path = write_photo(tmp_path / f"{number}.jpg", None, seed=number)
        judged = judge(path, screen, lat=at.lat, lon=at.lon)
        assert isinstance(judged, UsablePhoto) is passes, east_m
        if not passes:
            assert isinstance(judged, LeftOut)
            assert judged.reason == "duplicate position"


def test_narrow_photos_of_one_place_that_look_elsewhere_show_something_else(tmp_path: Path) -> None:
    screen = Screen(apart_m=5.0, accuracy_m=20.0)
    passed = []
    for number, heading in enumerate((0.0, 90.0, 355.0)):
        path = write_photo(tmp_path / f"{number}.jpg", PLACE, seed=number)
        judged = judge(path, screen, given=GivenView(heading_deg=heading, fov_deg=60.0))
        passed.append(isinstance(judged, UsablePhoto))
    assert passed == [True, True, False]


def test_a_copy_of_a_picture_somewhere_else_is_not_believed(tmp_path: Path) -> None:
    screen = Screen(apart_m=5.0, accuracy_m=20.0)
    path = write_photo(tmp_path / "a.jpg", None)
    (tmp_path / "b.jpg").write_bytes(path.read_bytes())
    assert isinstance(judge(path, screen, lat=47.00012, lon=8.00012), UsablePhoto)
    copy = judge(tmp_path / "b.jpg", screen, lat=47.10012, lon=8.00012)
    assert isinstance(copy, LeftOut)
    assert copy.reason == "duplicate picture"
    assert "a.jpg" in copy.detail
