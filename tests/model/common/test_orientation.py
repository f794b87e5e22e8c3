"""A picture is seen upright whatever says how it lies, and its size is told as it will be seen."""

import io
from typing import Any

import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from model.common.image_formats import open_header
from model.common.images import decode_image
from model.common.orientation import upright_size
from model.inputs.photo_metadata import read_photo_metadata
from model.inputs.photo_view import GivenView, resolve_view
from tests.model.common.test_quirks_of_pictures import looked_at, oriented, quarters, saved, seen
from tests.model.photo_files import FORMATS, exif, photo

FORMS_OF_XMP = {
    "attribute": 'tiff:Orientation="6"',
    "attribute in single quotes": "tiff:Orientation='6'",
    "attribute with spaces": "tiff:Orientation = ' 6 '",
    "element": "<tiff:Orientation>6</tiff:Orientation>",
    "element on lines of its own": "<tiff:Orientation>\n 6\n</tiff:Orientation>",
}
TURNED_RIGHT = ((40, 80), "BRWG")
UPRIGHT = ((80, 40), "RGBW")


def packet(said: str, encoding: str = "utf-8") -> bytes:
    """XMP that says the orientation."""
    attribute, element = (said, "") if said.startswith("tiff") else ("", said)
    return (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' {attribute}>{element}</rdf:Description></rdf:RDF>"
        "</x:xmpmeta>"
    ).encode(encoding)


def with_packet(form: str, said: bytes) -> bytes:
    options: dict[str, Any] = {"xmp": said}
    if form == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", said.decode())
        options = {"pnginfo": text}
    elif form == "TIFF":
        options = {"tiffinfo": {700: said}}
    return saved(quarters(), form, **options, **({"quality": 95} if form in ("JPEG", "WEBP") else {}))


def told_size(data: bytes) -> tuple[int, int]:
    with open_header(data) as image:
        return upright_size(image)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_undone_and_what_is_none_means_nothing(form: str, orientation: int) -> None:
    data = saved(quarters(), form, exif=oriented(orientation), **({} if form == "PNG" else {"quality": 95}))
    assert seen(data) == looked_at(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("orientation", range(10))
def test_the_size_that_is_told_is_that_of_the_picture(form: str, orientation: int) -> None:
    data = photo(form, (80, 40), exif=oriented(orientation))
    assert told_size(data) == decode_image(data).size


@pytest.mark.parametrize(("orientation", "across_deg"), [(0, 67.3), (1, 67.3), (6, 53.1), (9, 67.3)])
def test_the_lens_of_a_photo_whose_orientation_is_unknown_is_that_of_the_picture_as_it_lies(
    orientation: int, across_deg: float
) -> None:
    data = photo("JPEG", (400, 300), exif=exif(orientation=orientation, focal_mm=26))
    view = resolve_view(GivenView(), read_photo_metadata(data), *decode_image(data).size)
    assert view.fov_deg == pytest.approx(across_deg, abs=0.1)


@pytest.mark.parametrize("said", FORMS_OF_XMP)
@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG", "TIFF"])
def test_an_orientation_that_stands_in_xmp_alone_is_undone(form: str, said: str) -> None:
    data = with_packet(form, packet(FORMS_OF_XMP[said]))
    assert seen(data) == TURNED_RIGHT
    assert told_size(data) == TURNED_RIGHT[0]


def test_xmp_of_two_bytes_a_character_is_read() -> None:
    assert seen(with_packet("JPEG", packet("tiff:Orientation='6'", "utf-16"))) == TURNED_RIGHT


@pytest.mark.parametrize("said", FORMS_OF_XMP)
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_the_orientation_of_exif_comes_before_that_of_xmp(form: str, said: str) -> None:
    xmp = packet(FORMS_OF_XMP[said])
    assert seen(saved(quarters(), form, exif=oriented(1), xmp=xmp, quality=95)) == UPRIGHT
    assert seen(saved(quarters(), form, exif=oriented(6), xmp=xmp, quality=95)) == TURNED_RIGHT  # and not twice


@pytest.mark.parametrize("said", FORMS_OF_XMP)
def test_a_tiff_that_says_it_twice_is_turned_once(said: str) -> None:
    data = saved(quarters(), "TIFF", tiffinfo={0x0112: 6, 700: packet(FORMS_OF_XMP[said])})
    assert seen(data) == TURNED_RIGHT
    assert told_size(data) == TURNED_RIGHT[0]


@pytest.mark.parametrize("said", FORMS_OF_XMP)
@pytest.mark.parametrize("block", [{}, {"exif": exif(focal_mm=26)}], ids=["without EXIF", "with EXIF"])
def test_formats_with_a_turn_of_their_own_are_not_turned_by_xmp(said: str, block: dict[str, bytes]) -> None:
    data = saved(quarters(), "AVIF", xmp=packet(FORMS_OF_XMP[said]), **block)
    assert b"irot" not in data
    assert decode_image(data).size == told_size(data) == UPRIGHT[0]


def test_a_heic_is_not_turned_by_xmp() -> None:
    data = saved(quarters(), "HEIF", xmp=packet("tiff:Orientation='6'"))  # between other quotes it writes a turn, too
    assert b"irot" not in data
    assert decode_image(data).size == told_size(data) == UPRIGHT[0]
