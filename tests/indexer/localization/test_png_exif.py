"""A PNG with a changed EXIF block: one chunk differs."""

import io

import pytest
from PIL import Image

from indexer.localization.exif_position import EMPTY
from indexer.localization.png_exif import change_exif
from tests.model.photo_files import exif, gpano, photo, png_with_late_metadata

NEW = exif(direction=90.0)[6:]


def direction(png: bytes) -> float:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return float(image.getexif().get_ifd(0x8825)[17])


@pytest.mark.parametrize("late", [True, False])
def test_one_block_is_left_and_nothing_else_changes(late: bool) -> None:
    about = exif(direction=12.0)
    png = photo("PNG", exif=about, xmp=gpano(PoseHeadingDegrees=5))
    png = png_with_late_metadata(png) if late else png
    seen = []
    made = change_exif(png, lambda block: seen.append(block) or NEW)
    assert seen == [about.removeprefix(b"Exif\0\0")]
    assert made.count(b"eXIf") == 1
    assert direction(made) == 90.0
    assert change_exif(made, lambda _: seen[0]) == change_exif(png, lambda block: block)
    with Image.open(io.BytesIO(png)) as before, Image.open(io.BytesIO(made)) as after:
        assert before.tobytes() == after.tobytes()
        assert before.info["xmp"] == after.info["xmp"]


def test_a_block_is_put_before_the_pixels() -> None:
    png = photo("PNG")
    made = change_exif(png, lambda block: NEW if block == EMPTY else b"")
    assert direction(made) == 90.0
    at = made.index(b"eXIf") - 4
    assert made[:at] + made[at + 12 + len(NEW) :] == png


def test_what_is_no_png_is_refused() -> None:
    png = photo("PNG")
    pixels = png.index(b"IDAT") - 4
    for broken, reason in (
        (b"", "no PNG"),
        (png[:-4], "damaged"),
        (png[:30], "damaged"),
        (png[:pixels] + png[-12:], "without pixels"),
    ):
        with pytest.raises(ValueError, match=reason):
            change_exif(broken, lambda block: block)
