"""Bands are taken as they are asked for, marked or called, and what a file does not say of them is said."""

from types import SimpleNamespace

import pytest
from rasterio.enums import ColorInterp

from indexer.common.errors import BadSource
from indexer.tiles.sources.band_choice import choose_bands, doubts_of_bands


def file(kinds, descriptions=None):
    """What is looked at of an open dataset."""
    marks = [ColorInterp[kind] for kind in kinds]
    return SimpleNamespace(colorinterp=marks, count=len(kinds), descriptions=descriptions or [None] * len(kinds))


UNMARKED = ["gray", "undefined", "undefined", "undefined", "undefined"]


@pytest.mark.parametrize(
    ("descriptions", "expected"),
    [
        (["Blue", "Green", "Red", "Red edge", "NIR"], (3, 2, 1)),
        (["B2 blue", "B3 green", "B4 red", "rededge", "B8"], (3, 2, 1)),
        (["nir", "red-edge", "red", "green", "blue"], (3, 4, 5)),
        (["red", "red", "green", "blue", "nir"], (1, 2, 3)),
        (["coloured", "greenish", "blueprint", "", "nir"], (1, 2, 3)),
    ],
)
def test_unmarked_bands_are_taken_by_what_they_are_called(descriptions, expected):
    found = file(UNMARKED, descriptions)
    assert choose_bands(found, None, "a.tif") == (expected, None)
    assert bool(doubts_of_bands(found, None)) == (expected == (1, 2, 3))


def test_marks_and_names_that_disagree_stop():
    found = file(["red", "green", "blue"], ["Blue", "Green", "Red"])
    with pytest.raises(BadSource, match=r"marks bands 1,2,3 .* calls bands 3,2,1 so; give --bands 1,2,3 or --bands 3"):
        choose_bands(found, None, "a.tif")
    assert choose_bands(found, (3, 2, 1), "a.tif") == ((3, 2, 1), None)
    agree = file(["blue", "green", "red"], ["Blue", "Green", "Red"])
    assert choose_bands(agree, None, "a.tif") == ((3, 2, 1), None)


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (["gray"], ""),
        (["gray", "alpha"], ""),
        (["gray", "undefined"], "2 bands"),
        (["gray", "undefined", "undefined"], ""),
        (["gray", "undefined", "undefined", "alpha"], ""),
        (["red", "green", "blue", "undefined"], ""),
        (["palette"], ""),
        (UNMARKED, "5 bands"),
    ],
)
def test_what_a_file_does_not_say_of_its_bands_is_said(kinds, words):
    doubts = doubts_of_bands(file(kinds), None)
    assert len(doubts) == bool(words)
    assert all(words in doubt and "--bands" in doubt for doubt in doubts)
    assert doubts_of_bands(file(kinds), (1,)) == []


@pytest.mark.parametrize(("kind", "space"), [("cyan", "CMYK"), ("hue", "HSL"), ("Y", "YCbCr")])
def test_colours_of_another_kind_are_refused_unless_bands_are_asked_for(kind, space):
    found = file([kind, "undefined", "undefined"])
    with pytest.raises(BadSource, match=space):
        choose_bands(found, None, "a.tif")
    assert choose_bands(found, (1,), "a.tif") == ((1, 1, 1), None)
