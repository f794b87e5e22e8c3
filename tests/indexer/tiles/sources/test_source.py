import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.common.errors import BadSource
from indexer.tiles.sources import source as source_module
from indexer.tiles.sources.source import SourceOptions, as_tile_image, read_picture, select
from indexer.tiles.tile_table import grid_table
from model.common.errors import BadImage
from model.common.geo import Bounds
from tests.indexer.tiny import encoded, picture

ROOT = Path("somewhere")
TWO_ZOOMS = grid_table(np.array([[14, 8500, 5500], [15, 17_000, 11_000], [15, 17_001, 11_000]]), ["a", "b", "c"])


@pytest.mark.parametrize("seen", [0, 1, 4, 5, 6, 99])
def test_all_of_a_file_is_read_whatever_its_size_was_when_it_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: int
) -> None:
    """A file grows while something writes it."""
    (tmp_path / "a").write_bytes(b"12345")
    state = (tmp_path / "a").stat()
    changed = os.stat_result((*state[:6], seen, *state[7:]))
    monkeypatch.setattr(source_module.os, "stat", lambda _: changed)
    assert read_picture(tmp_path, "a") == b"12345"


def test_the_deepest_zoom_is_taken_and_said() -> None:
    listing = select(TWO_ZOOMS, SourceOptions(), ROOT)
    assert listing.table.z.tolist() == [15, 15]
    assert "zoom 15 is indexed (the deepest)" in listing.notes[0]


def test_another_zoom_can_be_asked_for() -> None:
    assert select(TWO_ZOOMS, SourceOptions(zoom=14), ROOT).table.tile_id.tolist() == ["14/8500/5500"]


def test_a_zoom_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(BadSource, match=r"no tile of zoom 9; it holds 14 \(1 tile\), 15 \(2 tiles\)"):
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


@pytest.mark.parametrize(("form", "media_type"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_encoded_pictures_pass_as_they_are(form: str, media_type: str) -> None:
    image = as_tile_image(encoded(1, form=form))
    assert (image.data, image.media_type) == (encoded(1, form=form), f"image/{media_type}")


def test_pixels_become_png() -> None:
    image = as_tile_image(picture(1))
    assert image.media_type == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(image.data))), np.asarray(picture(1)))


def test_other_bytes_are_refused() -> None:
    with pytest.raises(BadImage, match="not a JPEG, PNG, WebP, TIFF, AVIF or HEIC"):
        as_tile_image(b"<svg/>")


def test_a_format_that_few_browsers_show_is_sent_as_png() -> None:
    image = as_tile_image(encoded(1, form="TIFF"))
    assert image.media_type == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(image.data))), np.asarray(picture(1)))


def test_several_zooms_are_taken_when_asked_for() -> None:
    listing = select(TWO_ZOOMS, SourceOptions(zoom=tuple(sorted(set(TWO_ZOOMS.z.tolist())))), ROOT)
    assert len(listing.table) == len(TWO_ZOOMS)
    with pytest.raises(BadSource, match="holds no tile of zoom 9"):
        select(TWO_ZOOMS, SourceOptions(zoom=(9, 14)), ROOT)
