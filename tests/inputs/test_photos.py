"""What a photo says of itself: where it looks and what part of the sphere it shows, in every way it is written."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from model.common.errors import BadImage
from model.common.images import decode_image
from model.inputs.photo_checks import content_warnings
from model.inputs.photo_metadata import read_photo_metadata
from model.inputs.photo_view import GivenView, resolve_view
from tests.model.photo_files import exif, extended_jpeg, gpano, photo

WHOLE = {"FullPanoWidthPixels": 800, "FullPanoHeightPixels": 400}
CROP = {**WHOLE, "CroppedAreaImageWidthPixels": 400, "CroppedAreaImageHeightPixels": 200}
LEFT = {**CROP, "CroppedAreaLeftPixels": 0, "CroppedAreaTopPixels": 100}
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def seen(data: bytes) -> tuple[float | None, float, int]:
    """(heading, horizontal angle, number of warnings) with which a photo of 400 x 200 would be located."""
    view = resolve_view(GivenView(), read_photo_metadata(data), 400, 200)
    return view.heading_deg, view.fov_deg, len(view.warnings)


def test_the_heading_and_the_crop_of_a_panorama_are_used() -> None:
    assert seen(photo("JPEG", (400, 200), xmp=gpano(PoseHeadingDegrees=90, ProjectionType="equirectangular"))) == (
        90.0,
        360.0,
        0,
    )
    assert seen(photo("JPEG", (400, 200), xmp=gpano(PoseHeadingDegrees=90, **LEFT))) == (0.0, 180.0, 0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "AVIF"])
def test_a_packet_in_any_form_of_unicode(kind: str, encoding: str) -> None:
    packet = gpano(PoseHeadingDegrees=90, **LEFT).decode().encode(encoding)
    assert seen(photo(kind, (400, 200), xmp=packet)) == (0.0, 180.0, 0)


def test_a_value_that_carries_remarks() -> None:
    plain = gpano(as_elements=True, PoseHeadingDegrees=90, **LEFT)
    remarked = plain.replace(b">90<", f"><rdf:Description xmlns:rdf='{RDF}' rdf:value='90'/><".encode())
    assert remarked != plain
    assert seen(photo("JPEG", (400, 200), xmp=remarked)) == (0.0, 180.0, 0)


def test_what_a_jpeg_says_in_the_extension_of_its_packet() -> None:
    data = extended_jpeg(gpano(), gpano(PoseHeadingDegrees=90, **LEFT), piece_bytes=100)
    assert seen(data) == (0.0, 180.0, 0)
    both = extended_jpeg(gpano(PoseHeadingDegrees=90), gpano(**LEFT), piece_bytes=100)
    assert seen(both) == (0.0, 180.0, 0)


def test_an_extension_that_breaks_off_is_a_warning() -> None:
    data = extended_jpeg(gpano(), gpano(PoseHeadingDegrees=90, **LEFT)[:-30])
    assert seen(data) == (None, 360.0, 1)
    assert "no well-formed XML" in read_photo_metadata(data).doubts[0]


def test_two_headings_in_one_photo_are_none() -> None:
    data = extended_jpeg(gpano(PoseHeadingDegrees=90), gpano(PoseHeadingDegrees=270))
    assert seen(data) == (None, 360.0, 1)
    assert "gives PoseHeadingDegrees two values" in read_photo_metadata(data).doubts[0]


def test_properties_whose_namespace_is_not_declared_are_a_warning() -> None:
    packet = gpano(PoseHeadingDegrees=90).replace(b"xmlns:GPano=", b"data-was=")
    data = photo("JPEG", (400, 200), xmp=packet)
    assert seen(data) == (None, 360.0, 1)


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_a_part_of_a_panorama_that_is_mirrored_has_no_known_heading(orientation: int) -> None:
    data = photo("JPEG", (400, 200), xmp=gpano(PoseHeadingDegrees=90, **LEFT), exif=exif(orientation=orientation))
    heading, _, warnings = seen(data)
    assert (heading, warnings) == (None, 2)


def test_a_whole_sphere_that_is_mirrored_keeps_its_heading() -> None:
    packet = gpano(PoseHeadingDegrees=90, ProjectionType="equirectangular")
    assert seen(photo("JPEG", (400, 200), xmp=packet, exif=exif(orientation=2))) == (90.0, 360.0, 0)


def test_a_picture_that_was_cut_after_its_tags_were_written_has_no_known_heading() -> None:
    data = photo("JPEG", (400, 150), xmp=gpano(PoseHeadingDegrees=90, **LEFT))
    found = read_photo_metadata(data)
    assert (found.heading_deg, found.fov_deg) == (None, None)
    assert "unknown part" in found.heading_doubts[0]


def camera(direction: float | None = None) -> bytes:
    """EXIF of a camera that names its maker."""
    block = Image.Exif()
    block.load(exif(direction=direction, reference=None if direction is None else "T"))
    block[0x010F] = "A maker"
    return block.tobytes()


@pytest.mark.parametrize("unset", ["0", "0.0", "-0.00", "360"])
def test_a_heading_that_a_camera_left_unset_is_not_taken_for_north(unset: str) -> None:
    whole = {**WHOLE, "CroppedAreaImageWidthPixels": 800, "CroppedAreaImageHeightPixels": 400}
    tags = gpano(PoseHeadingDegrees=unset, PosePitchDegrees=0, PoseRollDegrees="0.0", **whole)
    assert seen(photo("JPEG", (400, 200), xmp=tags, exif=camera())) == (None, 360.0, 1)


def test_a_heading_of_0_that_somebody_set_is_north() -> None:
    north = gpano(PoseHeadingDegrees=0, ProjectionType="equirectangular")
    assert seen(photo("JPEG", (400, 200), xmp=north)) == (0.0, 360.0, 0)
    assert seen(photo("JPEG", (400, 200), xmp=north, exif=camera(direction=2.0))) == (0.0, 360.0, 0)
    leaning = gpano(PoseHeadingDegrees=0, PoseRollDegrees="1.2", ProjectionType="equirectangular")
    assert seen(photo("JPEG", (400, 200), xmp=leaning, exif=camera())) == (0.0, 360.0, 0)
    north_in_a_part = gpano(PoseHeadingDegrees=90, **LEFT)  # its own centre looks to 0
    assert seen(photo("JPEG", (400, 200), xmp=north_in_a_part, exif=camera())) == (0.0, 180.0, 0)


def test_jpeg_xl_is_called_by_its_name() -> None:
    for data in (b"\xff\x0a" + bytes(40), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40)):
        with pytest.raises(BadImage, match="it is JPEG XL"):
            decode_image(data)


@pytest.mark.parametrize("margin", [0, 30])
def test_a_sphere_that_was_squeezed_or_padded_to_its_shape_is_a_whole_one(margin: int) -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(40, 255, (12, 24, 3), np.uint8)).resize((400, 200))
    for edge in (0, 200 - margin):
        picture.paste((0, 0, 0), (0, edge, 400, edge + margin))
    data = photo("JPEG", picture=picture)
    view = resolve_view(GivenView(heading_deg=90.0), read_photo_metadata(data), *decode_image(data).size)
    assert (view.heading_deg, view.fov_deg, view.vertical_deg, view.warnings) == (90.0, 360.0, 180.0, ())
    assert content_warnings(decode_image(data)) == []
