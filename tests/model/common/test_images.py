import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from model.common.errors import BadImage
from model.common.images import decode_image, decode_sized
from tests.model.photo_files import FORMATS, exif, photo

RED = (200, 30, 20)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_an_upright_rgb_jpeg_keeps_its_size_and_colour():
    image = decode_image(encoded(Image.new("RGB", (40, 20), RED), "JPEG", quality=95))
    assert (image.mode, image.size) == ("RGB", (40, 20))
    assert np.abs(np.asarray(image).mean(axis=(0, 1)) - RED).max() < 4


def test_the_size_told_is_that_of_the_file_however_it_is_scaled_and_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (400, 200), RED), "JPEG", exif=exif.tobytes())
    image, size = decode_sized(data, at_least_px=(50, 50))
    assert (image.size, size) == ((50, 100), (400, 200))


@pytest.mark.parametrize(
    ("mode", "colour"), [("L", 100), ("P", 3), ("CMYK", (0, 200, 200, 20)), ("1", 1), ("LA", (90, 255))]
)
def test_other_colour_modes_become_rgb(mode, colour):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert decode_image(encoded(Image.new(mode, (16, 16), colour), kind)).mode == "RGB"


def test_sixteen_bit_values_are_scaled_not_clipped():
    pixels = np.full((8, 8), 0x8000, np.uint16)
    assert np.asarray(decode_image(encoded(Image.fromarray(pixels)))).max() == 0x80


def test_transparent_parts_turn_grey():
    assert np.asarray(decode_image(encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0))))).tolist()[0][0] == [128] * 3


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(encoded(image, "JPEG", exif=exif)).size == (20, 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("options", [{}, {"dpi": (72, 72)}], ids=["bare", "dpi"])
def test_an_exif_block_that_cannot_be_read_turns_nothing(kind, options):
    data = encoded(Image.new("RGB", (40, 20), RED), kind, exif=b"Exif\0\0garbage", **options)
    assert decode_image(data, at_least_px=(40, 20)).size == (40, 20)


def test_an_older_exif_block_of_a_png_that_cannot_be_read_turns_nothing():
    info = PngInfo()
    info.add_text("Raw profile type exif", "\nexif\n 4\nno digits")
    assert decode_image(encoded(Image.new("RGB", (40, 20), RED), pnginfo=info)).size == (40, 20)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_is_applied_though_the_rest_of_the_block_could_not_be_written_again(kind):
    entries = struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<HHII", 0x011A, 7, 3, 0)  # a resolution as bytes
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4)
    assert decode_image(encoded(Image.new("RGB", (40, 20)), kind, exif=block)).size == (20, 40)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, (0, 255, 0))]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert np.asarray(decode_image(data))[0, 0].tolist() == list(RED)


def test_a_large_jpeg_is_decoded_small_but_never_below_what_is_needed():
    data = encoded(Image.new("RGB", (4000, 2000)), "JPEG")
    width, height = decode_image(data, at_least_px=(256, 192)).size
    assert 256 <= width < 1024
    assert height >= 192


def test_a_turned_jpeg_is_not_decoded_too_small():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (2000, 4000)), "JPEG", exif=exif)
    width, height = decode_image(data, at_least_px=(1024, 300)).size
    assert width >= 1024
    assert height >= 300


def png_claiming(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"just some text", "not a JPEG, PNG, WebP, TIFF, AVIF or HEIC"),
        (encoded(Image.new("RGB", (64, 64), RED), "JPEG")[:200], "cannot be decoded"),
        (encoded(Image.new("RGB", (64, 64), RED))[:60], "cannot be decoded"),
        (encoded(Image.new("RGB", (8, 8)), "GIF"), "not a JPEG, PNG, WebP, TIFF, AVIF or HEIC"),
        (encoded(Image.new("RGB", (8, 8)), "BMP"), "not a JPEG, PNG, WebP, TIFF, AVIF or HEIC"),
        (png_claiming(60_000, 60_000), "pixels"),
        (png_claiming(9_000, 9_000), "81,000,000 pixels"),
        (png_claiming(1, 60_000_000), "no side may have more"),
        (png_claiming(100, 100), "cannot be decoded"),
    ],
    ids=["empty", "text", "cut-jpeg", "cut-png", "gif", "bmp", "bomb", "too-large", "too-long", "no-data"],
)
def test_bad_bytes_are_refused_with_the_reason(data, reason):
    with pytest.raises(BadImage, match=reason):
        decode_image(data)


def test_the_error_names_the_file(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_text("not a photo")
    with pytest.raises(BadImage, match=r"photo\.jpg"):
        decode_image(path)


def test_fifty_megapixels_are_accepted_as_jpeg():
    data = encoded(Image.new("L", (10_000, 5_000)), "JPEG")
    assert decode_image(data, at_least_px=(256, 192)).size == (1250, 625)


def test_a_file_may_be_named_by_text(tmp_path):
    Image.new("RGB", (7, 5)).save(tmp_path / "a.png")
    assert decode_image(str(tmp_path / "a.png")).size == (7, 5)
    (tmp_path / "empty.png").touch()
    with pytest.raises(BadImage, match=r"empty\.png is empty"):
        decode_image(str(tmp_path / "empty.png"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_what_a_file_says_besides_its_pixels_is_left_behind(form, orientation):
    data = photo(form, (40, 20), exif=exif(orientation=orientation, position=(47.1, 8.5), focal_mm=26))
    picture = decode_image(data)
    assert (dict(picture.getexif()), picture.info, picture.getexif().get_ifd(0x8825)) == ({}, {}, {})
    assert type(picture) is Image.Image
