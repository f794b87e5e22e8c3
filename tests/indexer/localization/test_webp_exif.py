"""A WebP with a changed EXIF block; a plain file gets the header that it needs for one."""

import io

import numpy as np
import pytest
from PIL import Image

from indexer.localization.exif_position import EMPTY
from indexer.localization.webp_exif import change_exif
from tests.model.photo_files import exif, gpano, photo

NEW = exif(direction=90.0)[6:]


def direction(webp: bytes) -> float:
    with Image.open(io.BytesIO(webp)) as image:
        return float(image.getexif().get_ifd(0x8825)[17])


def test_one_block_is_left_and_nothing_else_changes() -> None:
    about = exif(direction=12.0)
    webp = photo("WEBP", exif=about, xmp=gpano(PoseHeadingDegrees=5))
    seen = []
    made = change_exif(webp, lambda block: seen.append(block) or NEW)
    assert seen == [about.removeprefix(b"Exif\0\0")]
    assert made.count(b"EXIF") == 1
    assert direction(made) == 90.0
    again = change_exif(made, lambda _: seen[0])
    with Image.open(io.BytesIO(webp)) as before, Image.open(io.BytesIO(again)) as after:
        assert before.tobytes() == after.tobytes()
        assert before.info["xmp"] == after.info["xmp"]
        assert before.getexif().get_ifd(0x8825) == after.getexif().get_ifd(0x8825)


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("alpha", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (301, 7)])
def test_a_plain_picture_gets_a_header(lossless: bool, alpha: bool, size: tuple[int, int]) -> None:
    shape = (size[1], size[0], 4 if alpha else 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=lossless, exact=True)
    made = change_exif(buffer.getvalue(), lambda block: NEW if block == EMPTY else b"")
    assert direction(made) == 90.0
    assert int.from_bytes(made[4:8], "little") == len(made) - 8
    with Image.open(buffer) as before, Image.open(io.BytesIO(made)) as after:
        assert (before.size, before.mode) == (after.size, after.mode)
        assert before.tobytes() == after.tobytes()


def test_what_is_no_webp_is_refused() -> None:
    webp = photo("WEBP")
    for broken, reason in ((b"", "no WebP"), (webp[:100], "damaged"), (webp[:12], "empty"), (webp[:4], "no WebP")):
        with pytest.raises(ValueError, match=reason):
            change_exif(broken, lambda block: block)
    with pytest.raises(ValueError, match="no known kind"):
        change_exif(webp.replace(b"VP8 ", b"VP9 "), lambda block: block)
