"""The bound grows with what it is computed from, and covers what a decoder is really allowed."""

import io
from pathlib import Path

import pytest
from PIL import Image

from service.concurrency.decode_costs import LIGHT_S, cost_of, most_bytes
from service.memory_bound import most_bytes_of_photos
from service.settings import Settings

_MEGABYTE = 1 << 20


def bound(**settings) -> int:
    return most_bytes_of_photos(Settings(index=Path("index"), **{"workers": 2, **settings}))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_no_photo_is_allowed_more_than_the_worst(form):
    buffer = io.BytesIO()
    Image.new("RGB", (2000, 1000)).save(buffer, form)
    photo = buffer.getvalue()
    limits = {"max_pixels": 2_000_000, "encoded_bytes": len(photo)}
    cost = cost_of(photo, max_pixels=2_000_000)
    assert 0 < cost.memory_bytes <= most_bytes(**limits)
    if cost.expected_s <= LIGHT_S:
        assert cost.memory_bytes <= most_bytes(**limits, at_most_s=LIGHT_S)


def test_bound_is_the_sum_of_all_that_may_happen_at_once():
    # two common and one large photo, each with its body four times in its decoder and three times on its way there
    light, heavy = (
        most_bytes(max_pixels=64_000_000, encoded_bytes=32 * _MEGABYTE, at_most_s=at_most_s)
        for at_most_s in (LIGHT_S, None)
    )
    assert light < heavy
    assert bound() == 2 * light + heavy + 3 * 3 * 32 * _MEGABYTE + (64 + 64 + 2) * 2 * _MEGABYTE
    assert heavy == 64 * 64_000_000 + (128 + 4 * 32) * _MEGABYTE  # HEIC


@pytest.mark.parametrize(
    "more",
    [{"workers": 3}, {"decode_megapixels": 128}, {"max_upload_mb": 33}, {"max_uploads": 65}, {"queue_limit": 65}],
)
def test_bound_grows_with_each_setting(more):
    assert bound(**more) > bound()


def test_smaller_photos_need_less():
    assert bound(max_megapixels=16, decode_megapixels=16) < bound() / 2
