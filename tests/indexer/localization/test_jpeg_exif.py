"""A JPEG with a changed EXIF block: one block is left, and every other byte is as it was."""

import io

import pytest
from PIL import Image

from indexer.localization.exif_position import EMPTY
from indexer.localization.jpeg_exif import change_exif
from tests.model.photo_files import exif, gpano, jpeg_segment, photo

OLD = jpeg_segment(exif(direction=12.0))
XMP = jpeg_segment(b"http://ns.adobe.com/xap/1.0/\0" + gpano(PoseHeadingDegrees=5))
NEW = exif(direction=90.0)


def changed(jpeg: bytes, old: bytes = EMPTY) -> bytes:
    def change(block: bytes) -> bytes:
        assert block == old
        return NEW[6:]

    return change_exif(jpeg, change)


@pytest.mark.parametrize("segments", [b"", OLD, OLD + XMP, XMP + OLD, XMP, OLD + XMP + OLD])
@pytest.mark.parametrize("jfif", [True, False])
def test_one_block_is_left_and_nothing_else_changes(segments: bytes, jfif: bool) -> None:
    plain = photo()
    assert plain[2:4] == b"\xff\xe0"
    head = 4 + int.from_bytes(plain[4:6], "big")
    start = plain[:head] if jfif else plain[:2]
    made = changed(start + segments + plain[head:], exif(direction=12.0)[6:] if OLD in segments else EMPTY)
    assert made.count(b"Exif\0\0") == 1
    with Image.open(io.BytesIO(made)) as image:
        assert float(image.getexif().get_ifd(0x8825)[17]) == 90.0
    assert made == start + jpeg_segment(NEW) + segments.replace(OLD, b"") + plain[head:]


def test_what_is_no_jpeg_is_refused() -> None:
    plain = photo()
    for broken, reason in ((b"", "no JPEG"), (b"\x89PNG", "no JPEG"), (plain[:20], "damaged"), (plain[:3], "damaged")):
        with pytest.raises(ValueError, match=reason):
            changed(broken)
    with pytest.raises(ValueError, match="70,006 bytes"):
        change_exif(plain, lambda _: b"x" * 70_000)
