"""TIFF, AVIF and HEIC are read upright and under the same limits; what is not read is named, never repeated."""

import io
import struct
import sys

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from model.common import image_formats
from model.common.errors import BadImage
from model.common.image_formats import what_it_is
from model.common.images import decode_image

pillow_heif.register_heif_opener(thumbnails=False)
KINDS = ("TIFF", "AVIF", "HEIF")
RED, BLUE = (220, 30, 20), (20, 40, 210)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_halves(width=96, height=64):
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def colour_at(image, x, y):
    return np.asarray(image, np.int64)[y, x]


def near(colour, wanted):
    return np.abs(colour - np.array(wanted)).max() < 40


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_keeps_its_size_and_colours(kind):
    image = decode_image(encoded(two_halves(), kind))
    assert (image.mode, image.size) == ("RGB", (96, 64))
    assert near(colour_at(image, 10, 32), RED)
    assert near(colour_at(image, 86, 32), BLUE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("orientation", "red"), [(1, (10, 32)), (3, (86, 32)), (6, (32, 10)), (8, (32, 86))])
def test_the_orientation_is_applied_once(kind, orientation, red):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode_image(encoded(two_halves(), kind, exif=exif.tobytes()))  # bytes make pillow-heif write a turn, too
    assert image.size == ((96, 64) if orientation < 5 else (64, 96))
    assert near(colour_at(image, *red), RED)


def test_the_orientation_of_a_compressed_tiff_is_applied_once():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = decode_image(encoded(two_halves(), "TIFF", exif=exif, compression="tiff_adobe_deflate"))
    assert image.size == (64, 96)
    assert near(colour_at(image, 32, 10), RED)


def test_a_heic_is_turned_by_its_own_turn_and_not_by_exif():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(two_halves(), "HEIF", exif=exif)  # written without a turn
    assert b"irot" not in data
    assert decode_image(data).size == (96, 64)  # as the standard asks


def test_of_a_heic_with_ten_images_the_primary_is_taken():
    greys = [Image.new("RGB", (64, 64), (20 * number,) * 3) for number in range(10)]
    data = encoded(greys[0], "HEIF", save_all=True, append_images=greys[1:], primary_index=7)
    assert pillow_heif.open_heif(data).primary_index == 7
    assert near(colour_at(decode_image(data), 5, 5), (140, 140, 140))


def test_without_its_decoder_a_heic_is_refused_and_the_rest_is_read(monkeypatch):
    heic, jpeg = encoded(two_halves(), "HEIF"), encoded(two_halves(), "JPEG")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    image_formats._register_heif.cache_clear()
    with pytest.raises(BadImage, match="pillow-heif is not installed; send a JPEG"):
        decode_image(heic)
    assert decode_image(jpeg).size == (96, 64)


def test_of_a_tiff_with_pages_the_first_is_taken():
    pages = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert near(colour_at(decode_image(data), 5, 5), RED)


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_of_pixels_is_the_same(kind):
    data = encoded(two_halves(), kind)
    with pytest.raises(BadImage, match="6,144 pixels; the limit is 6,000"):
        decode_image(data, max_pixels=6000)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_is_refused(kind):
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)), kind)
    for share in (0.02, 0.3, 0.9):
        with pytest.raises(BadImage):
            decode_image(data[: int(len(data) * share)])


def tiff_of(bits, sample_format, channels, pixel):
    """An uncompressed little-endian TIFF of 2 x 2 equal pixels."""
    tags, extra = [], b""
    start = 8 + 2 + 12 * (11 if channels == 4 else 10) + 4

    def short_values(values):
        nonlocal extra
        if len(values) <= 2:
            return struct.pack("<2H", *values, *[0] * (2 - len(values)))
        offset = start + len(extra)
        extra += struct.pack(f"<{len(values)}H", *values)
        return struct.pack("<I", offset)

    def tag(number, values):
        tags.append(struct.pack("<HHI", number, 3, len(values)) + short_values(values))

    for number, values in [(256, [2]), (257, [2]), (258, [bits] * channels), (259, [1])]:
        tag(number, values)
    tag(262, [2 if channels > 1 else 1])
    tags.append(b"")  # where the pixels lie: known at the end
    tag(277, [channels])
    tag(278, [2])
    tags.append(struct.pack("<HHII", 279, 4, 1, 4 * len(pixel)))
    if channels == 4:
        tag(338, [2])
    tag(339, [sample_format] * channels)
    tags[5] = struct.pack("<HHII", 273, 4, 1, start + len(extra))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(tags) + bytes(4) + extra + pixel * 4


def test_a_tiff_of_four_channels_of_sixteen_bits_is_read():
    image = decode_image(tiff_of(16, 1, 4, struct.pack("<4H", 0x8000, 0x4000, 0x2000, 0xFFFF)))
    assert colour_at(image, 0, 0).tolist() == [0x80, 0x40, 0x20]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tiff_of(64, 3, 1, struct.pack("<d", 0.5)), "a TIFF with 64 bits a pixel in 1 channels"),
        (tiff_of(64, 1, 1, struct.pack("<Q", 5)), "a TIFF with 64 bits a pixel in 1 channels"),
        (tiff_of(32, 3, 1, struct.pack("<f", 0.5)), "32 bits a channel; save it with 8 or 16"),
        (tiff_of(32, 2, 1, struct.pack("<i", 5)), "32 bits a channel; save it with 8 or 16"),
        (b"II*\0" + bytes(40), "a damaged TIFF"),
    ],
    ids=["double", "uint64", "float", "int32", "damaged"],
)
def test_a_tiff_of_another_kind_is_refused_with_its_bits(data, reason):
    with pytest.raises(BadImage, match=reason):
        decode_image(data)


def test_the_preview_in_a_raw_file_is_no_photo():
    data = encoded(two_halves(), "TIFF", tiffinfo={254: 1})
    with pytest.raises(BadImage, match="begins with a preview"):
        decode_image(data)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"%PDF-1.7\n" + bytes(40), ".pdf"),
        (b"GIF89a" + bytes(40), ".gif"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(40), ".mp4"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "it is JPEG XL"),
        (b"This is secret", "it looks like text"),
        (b"<svg xmlns='secret'/>", "it looks like text"),
        (bytes(range(200, 256)), "no format that is known"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "damaged or cut short"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "it begins as a JPEG, damaged or cut short"),
        (b"", "no format that is known"),
    ],
    ids=["pdf", "gif", "mp4", "jpeg-xl", "text", "svg", "noise", "png", "jpeg", "nothing"],
)
def test_what_is_not_accepted_is_named_by_its_format(data, word):
    assert word in what_it_is(data)
    assert "secret" not in what_it_is(data)


@pytest.mark.parametrize(
    ("data", "remedy"), [(b"\xff\xd8\xff\xe0" + bytes(500), "copy it again"), (b"GIF89a", "convert it")]
)
def test_a_damaged_photo_is_to_be_copied_and_a_strange_one_converted(data, remedy):
    with pytest.raises(BadImage, match=rf"\); {remedy}$"):
        decode_image(data)


def test_a_decoded_photo_carries_nothing_but_pixels():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (47.0, 3.0, 4.0)
    for kind in ("JPEG", "PNG", "WEBP", *KINDS):
        assert decode_image(encoded(two_halves(), kind, exif=exif, dpi=(72, 72))).info == {}
