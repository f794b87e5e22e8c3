"""Copies with a position: the picture as it was, the place to centimetres, the originals untouched."""

from pathlib import Path

import piexif
import pytest
from PIL import Image

from indexer.common.errors import BadPhotos, BadQuery
from indexer.localization.photo_answer import PhotoAnswer
from indexer.localization.write_gps import GpsCopies
from model.common.errors import OutputExists
from model.common.geo import LatLon, great_circle_m
from model.inputs.photo_metadata import read_photo_metadata, read_photo_position
from tests.indexer.localization.answers import FAILED, found
from tests.model.photo_files import exif, gpano, photo

ABOUT = exif(orientation=6, direction=77.0, reference="T", focal_mm=26, position=(1.0, 2.0))


def original(folder: Path, name: str = "a.jpg", kind: str = "JPEG", **options: object) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(photo(kind, **options))
    return path


def copy_of(path: Path, out: Path, lat: float = 47.5, lon: float = 8.25, confidence: float | None = 0.75) -> Path:
    copies = GpsCopies(out, [path], least_confidence=0.7)
    copies.add(PhotoAnswer(path, found(lat, lon, confidence=confidence)))
    assert copies.written == int((out / path.name).exists())
    return out / path.name


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(47.123456789, 8.987654321), (-33.8688197, 151.2092955), (-22.9999999, -43.1729), (64.1466, -21.9999999997)],
)
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_the_place_is_right_in_every_hemisphere(lat: float, lon: float, kind: str, tmp_path: Path) -> None:
    path = original(tmp_path, f"a.{kind.lower()}", kind, exif=ABOUT)
    place = read_photo_position(copy_of(path, tmp_path / "out", lat, lon))
    assert place is not None
    assert great_circle_m(place, LatLon(lat, lon)) < 0.03


@pytest.mark.parametrize("about", [None, ABOUT])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_pixels_stay_to_the_byte(about: bytes | None, kind: str, tmp_path: Path) -> None:
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
    GpsCopies(tmp_path / "out", [FAILED.photo], least_confidence=0.1).add(FAILED)
    assert not (tmp_path / "out").exists()


def test_the_folder_of_the_originals_is_refused(tmp_path: Path) -> None:
    path = original(tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for folder in (tmp_path / "in", tmp_path / "link", tmp_path / "in" / ".." / "in"):
        with pytest.raises(BadQuery, match=r"is the folder of the original a\.jpg; give another folder"):
            GpsCopies(folder, [path], least_confidence=0.5)


def test_two_photos_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = original(tmp_path / "in"), original(tmp_path / "too", "A.JPG")
    with pytest.raises(BadPhotos, match=r"a\.jpg and .*A\.JPG have one name"):
        GpsCopies(tmp_path / "out", [one, other], least_confidence=0.5)
    GpsCopies(tmp_path / "out", [one, one], least_confidence=0.5)


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


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "HEIF", "AVIF"])
def test_other_formats_are_not_encoded_anew(kind: str, tmp_path: Path) -> None:
    path = original(tmp_path, "a.jpg", kind)  # its name does not matter
    with pytest.raises(BadPhotos, match="into JPEG and WebP only"):
        copy_of(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_exif_that_cannot_be_rewritten_leaves_no_half_copy(tmp_path: Path) -> None:
    path = original(tmp_path, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05junk")
    with pytest.raises(BadPhotos, match="its EXIF cannot be rewritten"):
        copy_of(path, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))
