"""A calibration speaks about questions like those it was fitted on, and reads no value that makes no sense."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.confidence.calibration import Calibration, Calibrations, Conditions, Logistic
from indexer.confidence.photo_fingerprints import PhotoSet
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


def test_a_new_calibration_takes_the_place_of_those_about_its_questions_and_all_stand_in_one_order() -> None:
    wanted = [
        Conditions((360.0, 360.0)),
        Conditions((70.0, 90.0), reranked=50),
        Conditions((360.0, 360.0), reranked=50),
        Conditions((360.0, 360.0), headings=24),
    ]
    for first in range(len(wanted)):
        known = Calibrations(())
        for conditions in [*wanted[first:], *wanted[:first]]:
            known = known.with_one(replace(CALIBRATION, conditions=conditions))
        assert [one.conditions for one in known.each] == wanted
        again = replace(CALIBRATION, conditions=wanted[2], radius_m=1.25)
        assert [one.radius_m for one in known.with_one(again).each] == [
            *[CALIBRATION.radius_m] * 2,
            1.25,
            CALIBRATION.radius_m,
        ]
        wider = replace(CALIBRATION, conditions=Conditions((60.0, 360.0), reranked=50))
        assert [one.conditions for one in known.with_one(wider).each] == [wanted[0], wider.conditions, wanted[3]]


@pytest.mark.parametrize("photos", [1, 100, 998])
def test_no_confidence_is_surer_than_so_many_photos_can_show(photos: int) -> None:
    fitted = replace(
        CALIBRATION,
        confidence=Logistic(0.0, (100.0, 0.0, 0.0, 0.0, 0.0)),
        photos=PhotoSet(("made up",), tuple(f"{number:08x}" for number in range(photos))),
    )
    scores = np.array([[-1.0, 0, 0, 0, 0], [0.0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0]])
    assert fitted.confidence_in(scores) == pytest.approx([1 / (photos + 2), 0.5, (photos + 1) / (photos + 2)])


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
        ("photos", {"count": 3}, "its photos are 3, but it has prints of 1000"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(part: str, value: dict[str, object], message: str) -> None:
    content = CALIBRATION.as_json()
    with pytest.raises((TypeError, ValueError), match=message):
        Calibration.from_json(content | {part: content[part] | value})
