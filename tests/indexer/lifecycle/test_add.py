"""New tiles into an index, and what does not fit."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from indexer.building.build import build_index
from indexer.common.errors import BadChange, IndexMismatch
from indexer.lifecycle.add import plan_addition
from indexer.tiles.region import CircleRegion
from indexer.tiles.sources.open_source import open_source
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, add, best, content, name_of, opened, put_tile, remove
from tests.indexer.tiny import LEFT, TOP, build_tiny, make_tiles, vector_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny(tmp_path).close()
    return tmp_path / "index"


def test_what_is_added_is_found_like_what_a_build_of_all_holds(folder: Path, tmp_path: Path) -> None:
    for row in range(4):
        put_tile(tmp_path / "more", 7, row, 100 + row)
    summary = add(folder, tmp_path / "more")
    assert summary.embedded == 4
    for row in range(4):
        put_tile(tmp_path / "tiles", 7, row, 100 + row)
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "whole", spec=SPEC)
    assert content(folder) == content(tmp_path / "whole")
    for seed in (0, 5, 11, 100, 103):
        assert best(folder, vector_of(seed), 16) == best(tmp_path / "whole", vector_of(seed), 16)


def test_rows_of_all_segments_are_one_sequence(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "more", 7, 0, 100)
    add(folder, tmp_path / "more")
    with opened(folder) as index:
        assert [index.tile(row).tile_id for row in range(13)] == index.tiles.tile_id.tolist()
        row = index.row_of(15, LEFT + 7, TOP)
        assert row == 12
        assert index.tile_image(15, LEFT + 7, TOP) is not None
        here = index.tile(12).bounds.centre
        (result,) = index.search(vector_of(0), top_k=5, region=CircleRegion(here, 1.0))
        assert (result.rows.tolist(), result.scanned, result.exact) == ([12], 1, True)
        scored = index.score_all(np.concatenate([vector_of(3), vector_of(100)]))
        assert (scored.rows.tolist(), scored.peaks.shape) == (list(range(13)), (2,))
        assert scored.scores[12, 0] > 0.99
        assert (index.vector(12).astype(np.float32) * vector_of(100)).sum() > 0.99
        assert index.zooms == [15]
        assert index.covers(here)


def test_tiles_that_are_there_stay_and_only_the_others_are_embedded(folder: Path, tmp_path: Path) -> None:
    before = content(folder)
    put_tile(tmp_path / "tiles", 0, 0, 99)  # another picture of a tile that is there
    put_tile(tmp_path / "tiles", 8, 8, 98)
    source = open_source(tmp_path / "tiles")
    with opened(folder) as index:
        addition = plan_addition(index, source, FakeEncoder(), SPEC)
    assert (len(addition.plan.tiles), addition.known) == (1, 12)
    assert add(folder, tmp_path / "tiles").embedded == 1
    after = content(folder)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {name_of(8, 8)}
    with pytest.raises(BadChange, match=r"nothing is new of the 13 tiles .* already"):
        add(folder, tmp_path / "tiles")


def test_another_date_is_another_tile_of_the_same_place(folder: Path, tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles", 1, 1)
    put_tile(tmp_path / "later", 0, 0, 77)
    add(folder, tmp_path / "later", date=datetime.date(2026, 6, 1))
    with opened(folder) as index:
        (result,) = index.search(vector_of(77), top_k=1)
        assert (index.count, int(result.rows[0])) == (13, 12)
        assert index.row_of(15, LEFT, TOP) == 12  # the picture that was added last
        assert index.row_named(name_of(0, 0)) == 12
        assert index.tile(index.row_named(name_of(1, 1)) or 0).tile_id == name_of(1, 1)
        assert index.row_named("none") is None
        assert index.segments[1].manifest.source["date"] == "2026-06-01"
    with pytest.raises(BadChange, match="already"):
        add(folder, tmp_path / "later", date=datetime.date(2026, 6, 1))
    remove(folder, ids=(name_of(0, 0),))
    with opened(folder) as index:
        assert index.row_named(name_of(0, 0)) is None


def test_another_encoder_other_anchors_and_another_ground_size_are_refused(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "more", 7, 0, 100)
    source = open_source(tmp_path / "more")
    anchored = FakeEncoder(inputs=InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=3))
    with opened(folder) as index:
        with pytest.raises(IndexMismatch, match="from other"):
            plan_addition(index, source, FakeEncoder("other"), SPEC)
        with pytest.raises(IndexMismatch, match="around 1 points; this encoder would around 9"):
            plan_addition(index, source, anchored, SPEC)
    put_tile(tmp_path / "zoomed", 7, 0, 100, zoom=16)
    with pytest.raises(BadChange, match=r"show \d+\.?\d* m of ground, those of .*--other-size"):
        add(folder, tmp_path / "zoomed")
    assert add(folder, tmp_path / "zoomed", other_size=True).embedded == 1
    with opened(folder) as index:
        assert index.zooms == [15, 16]


def test_equal_pictures_are_reported(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles", 2, 2)
    put_tile(tmp_path / "tiles", 5, 5, 3)
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=SPEC)
    assert f"1 tile shows the very picture of another, as {name_of(1, 1)} that of {name_of(5, 5)}" in summary.notes[-1]
    with opened(tmp_path / "index") as index:
        assert index.segments[0].manifest.tiles["equal"] == 1
