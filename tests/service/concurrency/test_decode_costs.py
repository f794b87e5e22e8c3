import pytest
from PIL import Image

from service.concurrency.decode_costs import cost_of
from tests.service.pictures import encoded, mosaic, with_repeated_scans


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_more_pixels_may_take_more(form):
    small, large = (encoded(Image.new("RGB", (side, side)), form) for side in (64, 512))
    one, other = cost_of(small, max_pixels=10**9), cost_of(large, max_pixels=10**9)
    assert (one.pixels, other.pixels) == (64 * 64, 512 * 512)
    assert other.expected_s == pytest.approx(64 * one.expected_s, rel=0.5)  # a JPEG's bytes count, too
    assert other.cpu_s > one.cpu_s > 1.0
    assert other.memory_bytes > one.memory_bytes


def test_scans_cost():
    few, many = (cost_of(with_repeated_scans(mosaic(1), more), max_pixels=10**9) for more in (1, 40))
    assert many.expected_s > 2 * few.expected_s


def test_what_is_no_picture_gets_the_least():
    nothing = cost_of(b"no picture", max_pixels=10**9)
    assert (nothing.expected_s, nothing.pixels) == (0.0, 0)


def test_no_photo_gets_more_than_the_largest_that_is_taken():
    photo = encoded(Image.new("RGB", (512, 512)), "PNG")
    assert cost_of(photo, max_pixels=1000).pixels == 1000
