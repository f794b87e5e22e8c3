import pytest
from PIL import Image

from model.common.errors import BadImage
from model.common.images import decode_image
from model.common.webp_size import webp_size
from tests.service.pictures import encoded


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 50}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}]
)
@pytest.mark.parametrize("size", [(1, 1), (300, 17), (16_383, 2)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_size_is_the_one_that_the_library_finds(options, size, mode):
    assert webp_size(encoded(Image.new(mode, size), "WEBP", **options)) == size


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", encoded(Image.new("RGB", (5, 5)), "WEBP")[:29], encoded(Image.new("RGB", (5, 5)))]
)
def test_fragments_and_others_have_no_size(data):
    assert webp_size(data) is None


def test_picture_that_is_too_large_is_refused_before_its_library_sets_it_aside():
    data = bytearray(encoded(Image.new("RGBA", (5, 5)), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))
    data[24:30] = b"\xff\xff\xff" * 2
    with pytest.raises(BadImage, match="16777216 x 16777216"):
        decode_image(bytes(data))
