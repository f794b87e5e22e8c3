"""Two zooms of one source either lie above one another, or one of them counts its rows otherwise."""

import numpy as np
import pytest

from indexer.tiles.sources.schemes import from_xyz
from indexer.tiles.sources.zoom_levels import turned_zooms

LOWER = [(16, 34_322 + x, 22_949 + y) for x in range(4) for y in range(4)]
UPPER = sorted({(15, x // 2, y // 2) for _, x, y in LOWER})


def rows(upper: str, lower: str, tiles: list[tuple[int, int, int]] = UPPER) -> np.ndarray:
    return np.array([from_xyz(*tile, upper) for tile in tiles] + [from_xyz(*tile, lower) for tile in LOWER], np.int64)


@pytest.mark.parametrize("scheme", ["xyz", "tms", "zyx"])
def test_zooms_that_lie_above_one_another_are_no_matter(scheme: str) -> None:
    assert turned_zooms(rows(scheme, scheme), scheme, (15, 16)) == []


@pytest.mark.parametrize(("upper", "lower"), [("tms", "xyz"), ("xyz", "tms"), ("zyx", "xyz")])
@pytest.mark.parametrize("beyond", [0, 40], ids=["as wide", "wider"])
def test_a_zoom_that_is_turned_is_told_however_wide_it_is(upper: str, lower: str, beyond: int) -> None:
    tiles = UPPER + [(15, 17_300 + number, 11_000) for number in range(beyond)]
    (said,) = turned_zooms(rows(upper, lower, tiles), lower, (15, 16))
    assert "no tile of zoom 15 lies over those of zoom 16" in said
    assert f"taken as {upper} " in said


def test_zooms_of_different_places_tell_nothing() -> None:
    assert turned_zooms(rows("xyz", "xyz", [(15, 100, 200)]), "xyz", (15, 16)) == []


def test_one_zoom_alone_tells_nothing() -> None:
    assert turned_zooms(rows("tms", "xyz"), "xyz", (16,)) == []
