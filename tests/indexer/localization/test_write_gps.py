"""Copies with a position: the picture as it was, the place to centimetres, the originals untouched."""

from pathlib import Path

import piexif
import pytest
from PIL import Image

from indexer.common.errors import BadPhotos, BadQuery
from indexer.localization.photo_answer import PhotoAnswer
from indexer.localization.photo_list import PhotoRequest
from indexer.localization.write_gps import GpsCopies
from model.common.errors import OutputExists
from model.common.geo import LatLon, great_circle_m
from model.inputs.photo_metadata import read_photo_metadata, read_photo_position
from tests.indexer.localization.answers import FAILED, found
from tests.model.photo_files import FORMATS, exif, gpano, photo

BOXES = ("HEIF", "AVIF")
ABOUT = exif(orientation=6, direction=77.0, reference="T", focal_mm=26, position=(1.0, 2.0))


def original(folder: Path, name: str = "a.jpg", kind: str = "JPEG", **options: object) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(photo(kind, **options))
    return path


def asked(path: Path, under: str | None = None) -> PhotoRequest:
    return PhotoRequest(path, under=Path(under or path.name))


def copy_of(path: Path, out: Path, lat: float = 47.5, lon: float = 8.25, confidence: float | None = 0.75) -> Path:
    copies = GpsCopies(out, [asked(path)], least_confidence=0.7)
    copies.add(PhotoAnswer(path, found(lat, lon, confidence=confidence)))
    assert copies.written == int((out / path.name).exists())
    return out / path.name


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(47.123456789, 8.987654321), (-33.8688197, 151.2092955), (-22.9999999, -43.1729), (64.1466, -21.9999999997)],
)
@pytest.mark.parametrize("kind", FORMATS)
def test_the_place_is_right_in_every_hemisphere(lat: float, lon: float, kind: str, tmp_path: Path) -> None:
    path = original(tmp_path, f"a.{kind.lower()}", kind, exif=ABOUT)
    place = read_photo_position(copy_of(path, tmp_path / "out", lat, lon))
    assert place is not None
    assert great_circle_m(place, LatLon(lat, lon)) < 0.03


@pytest.mark.parametrize(
    ("kind", "about"), [(kind, about) for kind in FORMATS for about in (ABOUT, None) if about or kind not in BOXES]
)
def test_pixels_stay_to_the_byte(kind: str, about: bytes | None, tmp_path: Path) -> None:
    path = original(tmp_path, f"a.{kind.lower()}", kind, exif=about, xmp=gpano(PoseHeadingDegrees=5))
    copy = copy_of(path, tmp_path / "out")
    with Image.open(path) as before, Image.open(copy) as after:
        assert before.tobytes() == after.tobytes()
        assert before.info.get("xmp") == after.info.get("xmp") is not None
    if kind == "JPEG":
        scan = path.read_bytes()[path.read_bytes().index(b"\xff\xda") :]
        assert copy.read_bytes().endswith(scan)


def test_other_exif_is_kept_and_what_spoke_of_the_old_place_is_not(tmp_path: Path) -> None:
    block = piexif.load(ABOUT)
    block["0th"][piexif.ImageIFD.Make] = b"Camera"
    block["Exif"][piexif.ExifIFD.DateTimeOriginal] = b"2026:01:02 03:04:05"
    block["GPS"][piexif.GPSIFD.GPSAltitude] = (400, 1)
    block["GPS"][piexif.GPSIFD.GPSHPositioningError] = (5, 1)
    path = original(tmp_path, exif=piexif.dump(block))
    before, copy = piexif.load(str(path)), copy_of(path, tmp_path / "out")
    after = piexif.load(str(copy))
    for part in ("0th", "Exif"):
        moved = {piexif.ImageIFD.ExifTag, piexif.ImageIFD.GPSTag}
        assert {tag: after[part].get(tag) for tag in before[part] if tag not in moved} == {
            tag: value for tag, value in before[part].items() if tag not in moved
        }
    assert read_photo_metadata(copy) == read_photo_metadata(path)
    assert piexif.GPSIFD.GPSAltitude not in after["GPS"]
    assert piexif.GPSIFD.GPSHPositioningError not in after["GPS"]


def test_originals_are_not_touched(tmp_path: Path) -> None:
    path = original(tmp_path / "in", exif=ABOUT)
    before = path.read_bytes(), path.stat().st_mtime_ns
    copy_of(path, tmp_path / "out")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [one.name for one in path.parent.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("confidence", [None, 0.5, 0.6999])
def test_below_the_confidence_nothing_is_written(confidence: float | None, tmp_path: Path) -> None:
    copy_of(original(tmp_path), tmp_path / "out", confidence=confidence)
    assert not (tmp_path / "out").exists()


def test_a_photo_that_failed_has_no_copy(tmp_path: Path) -> None:
    GpsCopies(tmp_path / "out", [asked(FAILED.photo)], least_confidence=0.1).add(FAILED)
    assert not (tmp_path / "out").exists()


def test_the_folder_of_the_originals_is_refused(tmp_path: Path) -> None:
    path = original(tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for folder in (tmp_path / "in", tmp_path / "link", tmp_path / "in" / ".." / "in"):
        with pytest.raises(
            BadQuery, match=r"is the folder of the original a\.jpg, or leads there; give another folder"
        ):
            GpsCopies(folder, [asked(path)], least_confidence=0.5)


def test_two_photos_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = original(tmp_path / "in"), original(tmp_path / "too", "A.JPG")
    with pytest.raises(BadPhotos, match=r"a\.jpg and .*A\.JPG have one name"):
        GpsCopies(tmp_path / "out", [asked(one), asked(other)], least_confidence=0.5)
    GpsCopies(tmp_path / "out", [asked(one), asked(one)], least_confidence=0.5)


def test_a_photo_that_was_replaced_meanwhile_gets_no_position(tmp_path: Path) -> None:
    path = original(tmp_path / "in")
    copies = GpsCopies(tmp_path / "out", [asked(path)], least_confidence=0.5)
    original(tmp_path / "in", size=(300, 200))
    with pytest.raises(BadPhotos, match="has changed since this began"):
        copies.add(PhotoAnswer(path, found(1.0, 2.0, confidence=0.75)))
    assert (copies.written, copies.failed) == (0, 1)
    assert not (tmp_path / "out").exists()


def test_folders_are_kept(tmp_path: Path) -> None:
    photos = [original(tmp_path / "in" / day) for day in ("monday", "tuesday")]
    requests = [asked(path, f"{path.parent.name}/a.jpg") for path in photos]
    copies = GpsCopies(tmp_path / "out", requests, least_confidence=0.5)
    for path in photos:
        copies.add(PhotoAnswer(path, found(1.0, 2.0, confidence=0.75)))
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.jpg")) == [
        "monday/a.jpg",
        "tuesday/a.jpg",
    ]


def test_a_copy_beside_an_original_of_a_subfolder_is_refused(tmp_path: Path) -> None:
    path, other = original(tmp_path / "in" / "deep"), original(tmp_path / "in" / "deep" / "deep", "b.jpg")
    requests = [asked(path, "deep/a.jpg"), asked(other, "deep/deep/b.jpg")]
    with pytest.raises(BadQuery, match=r"is the folder of the original a\.jpg, or leads there"):
        GpsCopies(tmp_path / "in", requests[:1], least_confidence=0.5)
    with pytest.raises(BadQuery, match="or leads there"):
        GpsCopies(tmp_path / "in" / "deep", requests, least_confidence=0.5)


@pytest.mark.parametrize("least", [0.0, -1.0, 1.1, float("nan")])
def test_a_confidence_out_of_range_is_refused(least: float, tmp_path: Path) -> None:
    with pytest.raises(BadQuery, match="give a probability above 0, at most 1"):
        GpsCopies(tmp_path / "out", [], least_confidence=least)


def test_a_copy_that_exists_stays(tmp_path: Path) -> None:
    path = original(tmp_path)
    copy = copy_of(path, tmp_path / "out")
    copy.write_bytes(b"mine")
    with pytest.raises(OutputExists, match="exists already"):
        copy_of(path, tmp_path / "out")
    assert copy.read_bytes() == b"mine"


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_heic_without_exif_is_refused(kind: str, tmp_path: Path) -> None:
    path = original(tmp_path, "a.jpg", kind)  # its name does not matter
    with pytest.raises(BadPhotos, match="it has no EXIF that could be changed"):
        copy_of(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_exif_that_cannot_be_rewritten_leaves_no_half_copy(tmp_path: Path) -> None:
    path = original(tmp_path, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05junk")
    with pytest.raises(BadPhotos, match="its EXIF cannot be rewritten"):
        copy_of(path, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))
