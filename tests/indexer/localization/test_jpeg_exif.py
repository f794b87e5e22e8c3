import io

import pytest
from PIL import Image

from indexer.localization.jpeg_exif import with_exif
from tests.model.photo_files import exif, gpano, jpeg_segment, photo

OLD = jpeg_segment(exif(direction=12.0))
XMP = jpeg_segment(b"http://ns.adobe.com/xap/1.0/\0" + gpano(PoseHeadingDegrees=5))
NEW = exif(direction=90.0)


def direction(jpeg: bytes) -> float:
    with Image.open(io.BytesIO(jpeg)) as image:
        return float(image.getexif().get_ifd(0x8825)[17])


@pytest.mark.parametrize("segments", [b"", OLD, OLD + XMP, XMP + OLD, XMP, OLD + XMP + OLD])
@pytest.mark.parametrize("jfif", [True, False])
def test_one_block_is_left_and_nothing_else_changes(segments: bytes, jfif: bool) -> None:
    plain = photo()
    assert plain[2:4] == b"\xff\xe0"
    head = 4 + int.from_bytes(plain[4:6], "big")
    start = plain[:head] if jfif else plain[:2]
    made = with_exif(start + segments + plain[head:], NEW)
    assert made.count(b"Exif\0\0") == 1
    assert direction(made) == 90.0
    block = jpeg_segment(NEW)
    assert made == start + block + segments.replace(OLD, b"") + plain[head:]


def test_what_is_no_jpeg_is_refused() -> None:
    plain = photo()
    for broken, reason in ((b"", "no JPEG"), (b"\x89PNG", "no JPEG"), (plain[:20], "damaged"), (plain[:3], "damaged")):
        with pytest.raises(ValueError, match=reason):
            with_exif(broken, NEW)
    with pytest.raises(ValueError, match="70,000 bytes"):
        with_exif(plain, b"x" * 70_000)
