"""What the three command lines share: value parsers, and one way to end with an error."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from model.common.errors import BadCoordinates, GeoLocalizationError
from model.common.geo import Bounds, LatLon

__all__ = ["as_argument", "join_coordinates", "parse_bounds", "parse_count", "parse_heading", "parse_lat_lon", "run"]

_T = TypeVar("_T")


def join_coordinates(arguments: Sequence[str]) -> list[str]:
    """`["--near", "-48.9,-123.4"]` -> `["--near=-48.9,-123.4"]`: argparse would take the coordinates for a flag."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1].startswith("--") and re.match(r"-[\d.][^,]*,", argument):
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined


def parse_lat_lon(text: str) -> LatLon:
    """`"47.1,8.5"` -> LatLon(47.1, 8.5).

    Raises:
        BadCoordinates: not two numbers, or out of range.
    """
    lat, lon = _numbers(text, 2, "lat,lon (for example 47.1,8.5)")
    return LatLon(lat, lon)


def parse_bounds(text: str) -> Bounds:
    """`"8.4,47.0,8.6,47.2"` -> Bounds(west=8.4, south=47.0, east=8.6, north=47.2).

    Raises:
        BadCoordinates: not four numbers, out of range, or wider than half the world over the antimeridian.
    """
    west, south, east, north = _numbers(text, 4, "west,south,east,north (for example 8.4,47.0,8.6,47.2)")
    bounds = Bounds(west, south, east, north)
    if bounds.crosses_antimeridian and east - west > -180.0:
        raise BadCoordinates(
            f"west {west} lies east of east {east}: over the antimeridian the box would be {east - west + 360.0:.2f} "
            "degrees wide; are west and east exchanged?"
        )
    return bounds


def as_argument(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """A parser for argparse with its message kept; argparse would replace that of a ValueError by one of its own."""

    def convert(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def parse_count(text: str, *, least: int = 1) -> int:
    """`"3"` -> 3, for argparse.

    Raises:
        argparse.ArgumentTypeError: not a whole number of at least `least`.
    """
    try:
        count = int(text)
    except ValueError:
        count = least - 1
    if count < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return count


def parse_heading(text: str) -> float | None:
    """`"87.5"` -> 87.5, `"unknown"` -> None, for argparse.

    Raises:
        argparse.ArgumentTypeError: neither.
    """
    if text == "unknown":
        return None
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither degrees clockwise from north nor 'unknown'") from None


def run(command: Callable[[], int]) -> int:
    """Call a command; turn an error that the user can mend into one line on stderr and exit code 1."""
    try:
        return command()
    except (GeoLocalizationError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _numbers(text: str, count: int, form: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise BadCoordinates(f"{text!r} is not {form}, in degrees")
    return values
