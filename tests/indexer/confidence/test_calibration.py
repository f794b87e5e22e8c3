"""A calibration speaks about questions like those it was fitted on, and reads no value that makes no sense."""

import pytest

from indexer.confidence.calibration import Calibration, Conditions
from tests.indexer.candidates import CALIBRATION


def test_conditions_tell_what_a_calibration_can_speak_about() -> None:
    conditions = Conditions((90.0, 180.0))
    assert conditions.include(Conditions.of(12.0, 120.0, headings=24))
    assert not conditions.include(Conditions.of(None, 120.0, headings=24))
    assert not conditions.include(Conditions.of(12.0, 360.0, headings=24))
    assert not conditions.include(Conditions.of(12.0, 70.0, headings=24))
    searched = Conditions((90.0, 180.0), headings=24)
    assert searched.include(Conditions.of(None, 120.0, headings=24))
    assert not searched.include(Conditions.of(None, 120.0, headings=4))


def test_it_is_read_as_it_was_written() -> None:
    assert Calibration.from_json(CALIBRATION.as_json()) == CALIBRATION


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("reading", {"fused": "no"}, "fused is 'no', neither true nor false"),
        ("reading", {"here_m": None}, "None is no finite number"),
        ("confidence", {"intercept": "nan"}, "'nan' is no finite number"),
        ("conditions", {"headings": True}, "True headings were tried"),
        ("conditions", {"headings": 0}, "0 headings were tried"),
        ("conditions", {"fov_deg": [360, 90]}, "its fields of view are 360 to 90 degrees"),
        ("photos", {"count": 3}, "its photos are 3, but it has prints of 1"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(part: str, value: dict[str, object], message: str) -> None:
    content = CALIBRATION.as_json()
    with pytest.raises((TypeError, ValueError), match=message):
        Calibration.from_json(content | {part: content[part] | value})
