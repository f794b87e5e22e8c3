"""Scans are counted without decoding, whatever else the file holds."""

import io

import pytest
from PIL import Image

from model.common.errors import BadImage
from model.common.images import decode_image
from model.common.jpeg_scans import MAX_SCANS, count_scans
from tests.service.pictures import encoded, mosaic, with_repeated_scans


@pytest.mark.parametrize(("progressive", "scans"), [(False, 1), (True, 10)])
def test_scans_of_common_jpegs(progressive, scans):
    assert count_scans(encoded(mosaic(1), "JPEG", progressive=progressive), at_most=100) == scans


def test_scans_of_a_thumbnail_in_a_segment_do_not_count():
    data = encoded(mosaic(1), "JPEG")
    inside = data[:-2] * 3
    assert len(inside) < 65_000
    segment = b"\xff\xe5" + (len(inside) + 2).to_bytes(2, "big") + inside
    assert count_scans(data[:2] + segment + data[2:], at_most=100) == 1


def test_what_follows_the_end_does_not_count():
    data = encoded(mosaic(1), "JPEG")
    assert count_scans(data + data, at_most=100) == 1


def test_counting_stops_where_it_is_told():
    assert count_scans(with_repeated_scans(mosaic(2), 500), at_most=20) == 20


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xda", b"no picture"])
def test_fragments_have_no_scans_that_matter(data):
    assert count_scans(data, at_most=100) <= 1


def test_jpeg_of_too_many_scans_is_refused_undecoded():
    Image.open(io.BytesIO(with_repeated_scans(mosaic(2), MAX_SCANS - 20))).load()
    decode_image(with_repeated_scans(mosaic(2), MAX_SCANS - 20))
    with pytest.raises(BadImage, match=f"{MAX_SCANS + 1} or more scans"):
        decode_image(with_repeated_scans(mosaic(2), MAX_SCANS))
