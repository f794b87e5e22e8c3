from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.source import SourceOptions, select
from indexer.tiles.tile_table import grid_table
from model.common.geo import Bounds

ROOT = Path("somewhere")
TWO_ZOOMS = grid_table(np.array([[14, 8500, 5500], [15, 17_000, 11_000], [15, 17_001, 11_000]]), ["a", "b", "c"])


def test_the_deepest_zoom_is_taken_and_said() -> None:
    listing = select(TWO_ZOOMS, SourceOptions(), ROOT)
    assert listing.table.z.tolist() == [15, 15]
    assert "zoom 15 is indexed (the deepest)" in listing.notes[0]


def test_another_zoom_can_be_asked_for() -> None:
    assert select(TWO_ZOOMS, SourceOptions(zoom=14), ROOT).table.tile_id.tolist() == ["14/8500/5500"]


def test_a_zoom_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(BadSource, match=r"no tile of zoom 9; it holds 14 \(1 tiles\), 15 \(2 tiles\)"):
        select(TWO_ZOOMS, SourceOptions(zoom=9), ROOT)


def test_the_box_leaves_the_tiles_that_touch_it() -> None:
    west, south, east, north = TWO_ZOOMS.record(2).bounds.as_tuple()
    inner = Bounds(west + (east - west) / 3, south + (north - south) / 3, east, north)
    assert select(TWO_ZOOMS, SourceOptions(bbox=inner), ROOT).table.tile_id.tolist() == ["15/17001/11000"]
    with pytest.raises(BadSource, match="touches the box"):
        select(TWO_ZOOMS, SourceOptions(bbox=Bounds(0.0, 0.0, 1.0, 1.0)), ROOT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scheme": "wmts"},
        {"zoom": 30},
        {"zoom": -1},
        {"tile_size_m": 0.0},
        {"tile_size_m": float("nan")},
        {"tile_size_m": 100.0, "stride_m": -5.0},
        {"stride_m": 50.0},
        {"tile_px": 8},
        {"min_valid": 1.5},
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadSource):
        SourceOptions(**wrong)  # type: ignore[arg-type]


def test_options_survive_json() -> None:
    options = SourceOptions(tile_size_m=100.0, bands=(4, 3, 2))
    assert SourceOptions.from_json({"tile_size_m": 100.0, "bands": [4, 3, 2]}) == options
