"""Pictures with quirks that other programs stumbled over, and how they are seen."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.common.images import decode_image

COLOURS = {(True, False, False): "R", (False, True, False): "G", (False, False, True): "B", (True, True, True): "W"}
TURNED_RIGHT = ((40, 80), "BRWG")
UPRIGHT = ((80, 40), "RGBW")


def quarters() -> Image.Image:
    """80 x 40: red and green above blue and white, so that every turn and mirror shows."""
    picture = Image.new("RGB", (80, 40), (255, 255, 255))
    picture.paste((255, 0, 0), (0, 0, 40, 20))
    picture.paste((0, 255, 0), (40, 0, 80, 20))
    picture.paste((0, 0, 255), (0, 20, 40, 40))
    return picture


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def seen(data: bytes) -> tuple[tuple[int, int], str]:
    """Size, and the colours of the quarters in reading order."""
    return looked_at(decode_image(data))


def looked_at(picture: Image.Image) -> tuple[tuple[int, int], str]:
    pixels = np.asarray(picture.convert("RGB")) > 128
    rows, columns = pixels.shape[0] // 4, pixels.shape[1] // 4
    centres = [pixels[row, column] for row in (rows, 3 * rows) for column in (columns, 3 * columns)]
    return picture.size, "".join(COLOURS[tuple(bool(part) for part in centre)] for centre in centres)


def oriented(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


@pytest.mark.parametrize("cut", [0, 300], ids=["whole", "the second picture cut off"])
def test_the_first_picture_of_several_that_a_phone_stores_in_one_file(cut: int) -> None:
    second = Image.new("RGB", (80, 40), (9, 9, 9))
    data = saved(quarters(), "MPO", save_all=True, append_images=[second], exif=oriented(6), quality=95)
    assert seen(data[: len(data) - cut]) == TURNED_RIGHT


def test_printing_colours_with_and_without_adobes_marker() -> None:
    data = saved(quarters().convert("CMYK"), "JPEG", quality=95)
    marker = data.index(b"\xff\xee")
    end = marker + 2 + int.from_bytes(data[marker + 2 : marker + 4], "big")
    assert seen(data) == seen(data[:marker] + data[end:]) == UPRIGHT


def test_grey_of_16_bits_is_scaled_and_not_clipped() -> None:
    levels = np.linspace(0, 65_535, 256 * 64).reshape(64, 256)
    picture = np.asarray(decode_image(saved(Image.fromarray(levels.astype(np.uint16)), "PNG")))
    assert np.abs(picture[..., 0] - levels / 257).max() <= 1.0
