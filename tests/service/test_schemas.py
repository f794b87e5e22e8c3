import io

import pytest
from fastapi import UploadFile
from pydantic import ValidationError

from service.schemas import LocalizeForm


def form(**fields) -> LocalizeForm:
    return LocalizeForm(panorama=UploadFile(io.BytesIO(b"photo"), filename="photo.jpg"), **fields)


def test_what_is_left_out_is_left_to_the_photo():
    plain = form()
    assert (plain.top_k, plain.heading_deg, plain.fov_deg) == (5, None, None)
    assert (plain.bbox, plain.near, plain.radius_m) == (None, None, None)


@pytest.mark.parametrize(("given", "read"), [("-90", 270.0), ("360", 0.0), (87.5, 87.5), ("unknown", "unknown")])
def test_a_heading_is_read_clockwise_from_north(given, read):
    assert form(heading_deg=given).heading_deg == read


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"heading_deg": "nan"}, "neither 'unknown' nor degrees"),
        ({"heading_deg": "361"}, "'361' is neither"),
        ({"heading_deg": "north"}, "'north' is neither"),
        ({"top_k": 0}, "greater than or equal to 1"),
        ({"top_k": 101}, "less than or equal to 100"),
        ({"fov_deg": 0}, "greater than 0"),
        ({"fov_deg": "inf"}, "finite"),
        ({"near": "91,0", "radius_m": 5}, "latitude 91"),
        ({"bbox": "8,47,9"}, "west,south,east,north"),
        ({"bbox": "8,47,9,48", "near": "47,8", "radius_m": 5}, "both given"),
        ({"near": "47,8"}, "without radius_m"),
        ({"radius_m": 5}, "without near"),
        ({"zoom": 18}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, reason):
    with pytest.raises(ValidationError, match=reason):
        form(**fields)
