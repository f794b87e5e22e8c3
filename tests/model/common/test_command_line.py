import argparse

import pytest

from model.common.command_line import join_coordinates, parse_bounds, parse_count, parse_lat_lon
from model.common.errors import BadCoordinates
from model.common.geo import Bounds, LatLon


def test_southern_and_western_coordinates_are_no_flags():
    assert join_coordinates(["--near", "-48.9,-123.4", "--top-k", "3"]) == ["--near=-48.9,-123.4", "--top-k", "3"]
    assert join_coordinates(["--bbox", "-1,2,3,4"]) == ["--bbox=-1,2,3,4"]


def test_other_arguments_are_left_alone():
    arguments = ["search", "--json", "--heading-deg", "-90", "-h", "--near=1,2"]
    assert join_coordinates(arguments) == arguments


def test_coordinates_are_read_in_the_order_that_is_documented():
    assert parse_lat_lon("-48.9,-123.4") == LatLon(-48.9, -123.4)
    assert parse_bounds("8,47,9,48") == Bounds(west=8, south=47, east=9, north=48)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "91,0", "nan,0"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(BadCoordinates):
        parse_lat_lon(text)


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_count_is_a_whole_number_of_at_least_one(text):
    with pytest.raises(argparse.ArgumentTypeError):
        parse_count(text)


def test_a_count_may_start_at_zero():
    assert parse_count("0", least=0) == 0
    with pytest.raises(argparse.ArgumentTypeError, match="'-1' is not a whole number of at least 0"):
        parse_count("-1", least=0)
