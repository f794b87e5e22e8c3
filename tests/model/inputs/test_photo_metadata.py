"""Files as cameras write them, in every format: what they say of themselves, what is left out, what is kept quiet."""

import io
import logging
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.common.geo import LatLon
from model.inputs.photo_metadata import PhotoMetadata, read_photo_metadata, read_photo_position
from tests.model.photo_files import FORMATS, exif, gpano, jpeg_segment, photo, png_with_late_metadata

SPHERE = {"ProjectionType": "equirectangular", "PoseHeadingDegrees": 90}
CROP = {
    "FullPanoWidthPixels": 800,
    "FullPanoHeightPixels": 400,
    "CroppedAreaImageWidthPixels": 400,
    "CroppedAreaImageHeightPixels": 200,
    "CroppedAreaLeftPixels": 200,
    "CroppedAreaTopPixels": 50,
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("as_elements", [False, True], ids=["attributes", "elements"])
def test_a_panorama_says_where_it_looks_and_what_it_shows(kind, as_elements):
    found = read_photo_metadata(photo(kind, (400, 200), xmp=gpano(as_elements, **SPHERE, **CROP)))
    assert found == PhotoMetadata(90.0, 180.0, 90.0, 22.5, projection="equirectangular", panorama=True)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_ordinary_photo_says_where_it_looks_and_through_which_lens(kind):
    found = read_photo_metadata(photo(kind, exif=exif(direction=271.5, reference="T", focal_mm=26)))
    assert found.heading_deg == pytest.approx(271.5)
    assert found.fov_deg == pytest.approx(67.3, abs=0.1)
    assert found.vertical_deg == pytest.approx(53.06, abs=0.1)
    assert (found.projection, found.panorama, found.doubts) == ("rectilinear", False, ())


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photo_held_upright_is_narrower(kind, orientation):
    found = read_photo_metadata(photo(kind, exif=exif(orientation=orientation, focal_mm=26)))
    across, upright = 67.3, 53.06
    assert found.fov_deg == pytest.approx(across if orientation == 3 else upright, abs=0.1)
    assert found.vertical_deg == pytest.approx(upright if orientation == 3 else across, abs=0.1)


def test_a_png_whose_metadata_stands_behind_its_pixels():
    data = png_with_late_metadata(photo("PNG", (400, 200), xmp=gpano(**SPHERE), exif=exif(orientation=3)))
    assert read_photo_metadata(data).heading_deg == 90.0


def test_extended_xmp_is_passed_over():
    data = photo("JPEG", (400, 200), xmp=gpano(**SPHERE))
    extended = jpeg_segment(b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", 9, 0) + b"<broken")
    for mixed in (data[:2] + extended + data[2:], data.replace(b"\xff\xdb", extended + b"\xff\xdb", 1)):
        assert read_photo_metadata(mixed).heading_deg == 90.0


def test_a_file_is_read_from_its_path(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo("JPEG", (400, 200), xmp=gpano(**SPHERE)))
    assert read_photo_metadata(path).heading_deg == 90.0
    with pytest.raises(FileNotFoundError):
        read_photo_metadata(tmp_path / "none.jpg")


@pytest.mark.parametrize("data", [b"", b"no picture", photo()[:30]], ids=["empty", "text", "cut"])
def test_no_picture_says_nothing(data):
    assert read_photo_metadata(data) == PhotoMetadata()
    assert read_photo_position(data) is None


@pytest.mark.parametrize(("reference", "word"), [("M", "declination"), (None, "declination"), ("T", "")])
def test_a_direction_from_magnetic_north_is_doubtful(reference, word):
    found = read_photo_metadata(photo(exif=exif(direction=12.0, reference=reference)))
    assert found.heading_deg == 12.0
    assert word in "".join(found.doubts)
    assert len(found.heading_doubts) == bool(word)


@pytest.mark.parametrize("direction", [361.0, 4294967206.0])
def test_a_direction_that_cannot_be_is_left_out(direction):
    found = read_photo_metadata(photo(exif=exif(direction=direction, reference="T")))
    assert found.heading_deg is None
    assert "not used" in found.heading_doubts[0]


def test_a_direction_of_nothing_by_nothing_is_left_out():
    block = exif(direction=12.0, reference="T")
    nothing = block.replace(struct.pack(">II", 12, 1), bytes(8))
    assert nothing != block
    found = read_photo_metadata(photo(exif=nothing))
    assert found.heading_deg is None
    assert "is nan" in found.heading_doubts[0]


@pytest.mark.parametrize(("direction", "heading"), [(360.0, 0.0), (0.0, 0.0), (359.75, 359.75)])
def test_a_direction_that_can_be(direction, heading):
    assert read_photo_metadata(photo(exif=exif(direction=direction, reference="T"))).heading_deg == heading


def test_the_tags_of_a_panorama_beat_its_compass_and_its_lens():
    block = exif(direction=62.0, reference="T", focal_mm=26)
    found = read_photo_metadata(photo("JPEG", (400, 200), xmp=gpano(**SPHERE), exif=block))
    assert (found.heading_deg, found.fov_deg, found.doubts) == (90.0, 360.0, ())
    found = read_photo_metadata(photo("JPEG", (400, 200), xmp=gpano(ProjectionType="equirectangular"), exif=block))
    assert (found.heading_deg, found.fov_deg) == (62.0, 360.0)


@pytest.mark.parametrize(("compass", "doubtful"), [(119.0, False), (121.0, True), (270.0, True), (59.0, True)])
def test_a_compass_far_from_the_tags_of_the_panorama_is_a_doubt(compass, doubtful):
    block = exif(direction=compass, reference="T")
    for cut, offset in (({}, 0.0), (CROP | {"CroppedAreaLeftPixels": 400}, 90.0)):
        found = read_photo_metadata(photo("JPEG", (400, 200), xmp=gpano(**SPHERE, **cut), exif=block))
        assert found.heading_deg == 90.0 + offset
        assert [f"its compass {compass:g}" in doubt for doubt in found.heading_doubts] == [True] * doubtful


def test_the_compass_of_a_cut_panorama_is_that_of_the_whole():
    properties = {**CROP, "CroppedAreaLeftPixels": 400}  # the right half
    data = photo("JPEG", (400, 200), xmp=gpano(**properties), exif=exif(direction=350.0, reference="T"))
    assert (read_photo_metadata(data).heading_deg, read_photo_metadata(data).offset_deg) == (80.0, 90.0)


def test_broken_exif_leaves_what_xmp_says():
    pointers = struct.pack("<HHII", 0x8769, 4, 1, 4_000_000_000) + struct.pack("<HHII", 0x8825, 4, 1, 4_000_000_000)
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + pointers + bytes(4)
    assert read_photo_metadata(photo("JPEG", (400, 200), xmp=gpano(**SPHERE), exif=block)).heading_deg == 90.0


@pytest.mark.parametrize("block", [{"size": (1600, 300)}, {"rendered": 6}], ids=["strip", "sweep"])
def test_a_swept_panorama_does_not_see_what_its_lens_sees(block):
    size = block.pop("size", (400, 300))
    found = read_photo_metadata(photo("JPEG", size, exif=exif(direction=12.0, reference="T", focal_mm=26, **block)))
    assert (found.heading_deg, found.fov_deg, found.projection) == (12.0, None, None)
    assert "swept" in found.heading_doubts[0]


def test_a_fisheye_draws_no_flat_picture():
    found = read_photo_metadata(photo(exif=exif(focal_mm=7)))
    assert found.fov_deg is None
    assert "7 mm" in found.view_doubts[0]


def test_broken_xmp_of_a_panorama_is_a_doubt_and_other_xmp_is_nobodys_business():
    found = read_photo_metadata(photo("JPEG", (400, 200), xmp=gpano(**SPHERE)[:-60]))
    assert found.heading_deg is None
    assert "no well-formed XML" in found.doubts[0]
    assert read_photo_metadata(photo(xmp=b"<broken")) == PhotoMetadata()


def test_enormous_xmp_is_not_read():
    data = photo("WEBP", (400, 200), xmp=gpano(**SPHERE, Note="x" * (1 << 21)))
    assert "1,048,576" in read_photo_metadata(data).doubts[0]


PLACE = exif(direction=12.0, reference="T", position=(47.25, -8.5))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_position_is_read_only_when_asked_for(kind, caplog):
    caplog.set_level(logging.DEBUG)
    data = photo(kind, exif=PLACE)
    found = read_photo_metadata(data)
    assert "47" not in repr(found)
    assert "8.5" not in repr(found)
    assert not [record for record in caplog.records if record.name.startswith("model")]
    place = read_photo_position(data)
    assert (place.lat, place.lon) == (pytest.approx(47.25), pytest.approx(-8.5))


@pytest.mark.parametrize("position", [(0.0, 0.0), (91.0, 8.0), (47.0, 181.0)])
def test_a_position_that_cannot_be_is_none(position):
    assert read_photo_position(photo(exif=exif(position=position))) is None


def test_a_position_without_its_hemisphere_is_none():
    block = Image.Exif()
    gps = block.get_ifd(0x8825)
    gps[2], gps[4] = (47.0, 0.0, 0.0), (8.0, 0.0, 0.0)
    assert read_photo_position(photo(exif=block.tobytes())) is None


@pytest.mark.parametrize(("datum", "read"), [("WGS-84", True), ("JGD2000", True), ("TOKYO", False), ("GCJ-02", False)])
def test_a_position_by_another_datum_is_none(datum, read):
    block = Image.Exif()
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4], gps[18] = "N", (35.0, 40.0, 52.0), "E", (139.0, 45.0, 58.0), datum
    assert (read_photo_position(photo(exif=block.tobytes())) is not None) is read


@pytest.mark.parametrize(("status", "read"), [("A", True), ("V", False)])
def test_a_position_of_a_receiver_that_sees_no_satellites_is_none(status, read):
    block = Image.Exif()
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4], gps[9] = "N", (35.0, 40.0, 52.0), "E", (139.0, 45.0, 58.0), status
    assert (read_photo_position(photo(exif=block.tobytes())) is not None) is read


def test_a_position_in_degrees_minutes_and_seconds():
    block = Image.Exif()
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "S", (47.0, 30.0, 36.0), "W", (8.0, 15.0, 0.0)
    assert read_photo_position(photo(exif=block.tobytes())) == LatLon(-47.51, -8.25)


@pytest.mark.parametrize("angle", [(47.0, 75.0, 0.0), (47.0, 5.0, 3036.0)], ids=["minutes", "seconds"])
def test_minutes_or_seconds_beyond_sixty_are_in_other_units_and_so_are_none(angle):
    block = Image.Exif()
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", angle, "E", (8.0, 15.0, 0.0)
    assert read_photo_position(photo(exif=block.tobytes())) is None


def well_formed(found):
    """What every answer keeps to, whatever the file holds."""
    assert found.heading_deg is None or 0 <= found.heading_deg < 360
    assert found.fov_deg is None or 0 < found.fov_deg <= 360
    assert found.vertical_deg is None or 0 < found.vertical_deg <= 180
    assert found.centre_deg is None or -90 <= found.centre_deg <= 90
    assert -180 <= found.offset_deg <= 180
    assert abs(found.pitch_deg) <= 90
    assert abs(found.roll_deg) <= 180
    for doubt in found.doubts:
        assert doubt.isprintable()
        assert len(doubt) < 400


def changed(data, edits):
    """The bytes with some of them set, cut out or put in."""
    result = bytearray(data)
    for where, how, value in edits:
        at = int(where * len(result))
        if how == "set" and result:
            result[min(at, len(result) - 1)] = value
        elif how == "cut":
            del result[at : at + value]
        else:
            result[at:at] = bytes([value]) * (value % 7)
    return bytes(result)


EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["set", "cut", "put"]), st.integers(0, 255)), min_size=1, max_size=8
)
VALUES = st.one_of(
    st.integers(-(10**12), 10**12),
    st.floats(),
    st.sampled_from([0, -0.0, 360, 361, 4294967206, "NaN", "", "-", "1e400", "1e-400", "9" * 40, "&amp;", "\u0663"]),
    st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<>&'\""), max_size=30),
)
NAMES = st.sampled_from(sorted({*CROP, *SPHERE, "PosePitchDegrees", "PoseRollDegrees", "InitialViewHeadingDegrees"}))
PACKET, BLOCK = (
    gpano(**SPHERE, **CROP),
    exif(orientation=6, direction=12.0, reference="T", focal_mm=26, position=(47.0, 8.0)),
)


def check_any_properties(properties, as_elements):
    well_formed(read_photo_metadata(photo("JPEG", (64, 32), xmp=gpano(as_elements, **properties))))


def check_any_bytes(edits, where, kind):
    xmp, block = (changed(PACKET, edits), BLOCK) if where == "xmp" else (PACKET, changed(BLOCK, edits))
    if kind == "PNG":
        xmp = xmp.decode("latin-1").encode()
    data = photo("JPEG" if kind == "file" else kind, (64, 32), xmp=xmp, exif=block if where != "none" else None)
    data = changed(data, edits) if kind == "file" else data
    well_formed(read_photo_metadata(data))
    place = read_photo_position(data)
    assert place is None or isinstance(place, LatLon)


ANY_PROPERTIES = st.dictionaries(NAMES, VALUES), st.booleans()
ANY_BYTES = EDITS, st.sampled_from(["xmp", "exif", "none"]), st.sampled_from(["JPEG", "WEBP", "PNG", "file"])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=300, deadline=None)
@given(*ANY_PROPERTIES)
def test_any_property_is_taken_or_left(properties, as_elements):
    check_any_properties(properties, as_elements)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=300, deadline=None)
@given(*ANY_BYTES)
def test_any_bytes_are_read_or_left(edits, where, kind):
    check_any_bytes(edits, where, kind)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=20_000, deadline=None)
@given(*ANY_PROPERTIES)
def test_any_property_is_taken_or_left_at_length(properties, as_elements):
    check_any_properties(properties, as_elements)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=20_000, deadline=None)
@given(*ANY_BYTES)
def test_any_bytes_are_read_or_left_at_length(edits, where, kind):
    check_any_bytes(edits, where, kind)


def test_fuzzed_bytes_still_begin_as_a_photo():
    assert read_photo_metadata(photo("JPEG", (400, 200), xmp=PACKET, exif=BLOCK)).panorama
    assert Image.open(io.BytesIO(photo("WEBP", (64, 32), xmp=PACKET, exif=BLOCK))).size == (64, 32)


def test_a_file_may_be_named_by_text(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(photo(size=(400, 200), xmp=gpano(PoseHeadingDegrees=90.0)))
    assert read_photo_metadata(str(path)) == read_photo_metadata(path) != PhotoMetadata()
