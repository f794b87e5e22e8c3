import math

import pytest

from model.common.numbers import parse_number


@pytest.mark.parametrize(
    ("text", "comma", "number"),
    [(" 47.1 ", False, 47.1), ("47,1", True, 47.1), ("47.1", True, 47.1), ("1e2", False, 100.0), ("-0,5", True, -0.5)],
)
def test_numbers_are_read_as_people_write_them(text, comma, number):
    assert parse_number(text, decimal_comma=comma) == number


@pytest.mark.parametrize(
    ("text", "comma"),
    [("47,1", False), ("1.047,1", True), ("1,047,1", True), ("4_7", False), ("", False), ("N", False)],
)
def test_others_are_none(text, comma):
    assert math.isnan(parse_number(text, decimal_comma=comma))
