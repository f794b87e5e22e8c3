"""Tiles out of an index, by area and by name."""

from pathlib import Path

import pytest

from indexer.building.plan import BuildSpec
from indexer.common.errors import BadChange, NoTilesInRegion
from indexer.index.search_spec import SearchSpec
from indexer.tiles.region import BoxRegion, CircleRegion
from model.common.geo import Bounds
from tests.indexer.lifecycle.living import best, content, name_of, opened, remove
from tests.indexer.tiny import LEFT, TOP, build_tiny, vector_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny(tmp_path).close()
    return tmp_path / "index"


def test_a_removed_tile_is_no_answer_any_more(folder: Path) -> None:
    (found,) = best(folder, vector_of(5), 1)
    assert found[0] == name_of(1, 2)
    assert remove(folder, ids=(name_of(1, 2),)) == 1
    names = [name for name, _ in best(folder, vector_of(5), 12)]
    assert len(names) == 11
    assert name_of(1, 2) not in names
    with opened(folder) as index:
        assert index.row_of(15, LEFT + 1, TOP + 2) is None
        assert index.count == 11
        row = index.row_of(15, LEFT + 1, TOP + 1)
        assert row is not None
        beside = index.search(vector_of(5), top_k=12, region=BoxRegion(index.tile(row).bounds))[0]
        assert name_of(1, 2) not in [index.tile(one).tile_id for one in beside.rows.tolist()]
        assert index.score_all(vector_of(5)).rows.tolist() == index.live_rows.tolist()
        assert len(index.live_rows) == 11


def test_an_area_takes_the_tiles_whose_centre_it_holds(folder: Path) -> None:
    with opened(folder) as index:
        middle, other = (index.tile(index.row_of(15, LEFT + x, TOP) or 0).bounds for x in (1, 2))
    assert remove(folder, BoxRegion(Bounds(middle.west, middle.south, middle.east, middle.north))) == 1
    assert remove(folder, CircleRegion(other.centre, 1.0)) == 1
    assert {name_of(1, 0), name_of(2, 0)}.isdisjoint(content(folder))


def test_what_cannot_be_removed_is_said_and_nothing_is(folder: Path) -> None:
    with pytest.raises(BadChange, match=r"has no tile a and 1 more; nothing was removed"):
        remove(folder, ids=(name_of(0, 0), "b", "a"))
    with pytest.raises(NoTilesInRegion, match="swapped"):
        remove(folder, BoxRegion(Bounds(0.0, 0.0, 1.0, 1.0)))
    with pytest.raises(BadChange, match=r"no tile of .* would be left; remove the folder"):
        remove(folder, BoxRegion(Bounds(-180.0, -90.0, 180.0, 90.0)))
    assert len(content(folder)) == 12
    remove(folder, ids=(name_of(0, 0),))
    with pytest.raises(BadChange, match="has no tile"):
        remove(folder, ids=(name_of(0, 0),))


def test_an_approximate_index_passes_over_what_was_removed(tmp_path: Path) -> None:
    build_tiny(tmp_path, 8, 8, spec=BuildSpec(search=SearchSpec(latency_ms=0))).close()
    remove(tmp_path / "index", ids=(name_of(0, 7),))
    names = [name for name, _ in best(tmp_path / "index", vector_of(7), 5)]
    assert len(names) == 5
    assert name_of(0, 7) not in names
