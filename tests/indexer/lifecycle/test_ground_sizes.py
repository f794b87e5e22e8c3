"""Tiles of another ground size come together only where somebody wants that."""

from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.building.plan import make_plan, part_of
from indexer.common.errors import BadChange
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.ground_sizes import require_like_sizes
from indexer.lifecycle.merge import merge_indexes
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, add, content, name_of, put_tile, remove
from tests.indexer.tiny import TOP, ZOOM


def built(root: Path, *zooms: int, row: int = 0, tiles: Path | None = None) -> Path:
    """An index of two tiles of each zoom, of a folder of its own if none is named."""
    tiles = tiles or root / "tiles"
    for zoom in zooms:
        for column in range(2):
            put_tile(tiles, column, row, 10 * zoom + column, zoom=zoom)
    build_index(open_source(tiles, SourceOptions(zoom=zooms)), FakeEncoder(), root / "index", spec=SPEC)
    return root / "index"


def require(*folders: Path) -> None:
    indexes = [TileIndex.open(folder) for folder in folders]
    try:
        require_like_sizes(indexes)
    finally:
        for index in indexes:
            index.close()


def test_indexes_of_two_sizes_are_refused_in_either_order_and_merged_where_that_is_wanted(tmp_path: Path) -> None:
    one, other = built(tmp_path / "15", 15), built(tmp_path / "16", 16)
    for folders in ((one, other), (other, one)):
        with pytest.raises(BadChange, match=r"index show \d+\.?\d* m of ground, those of .*--other-size"):
            require(*folders)
    indexes = [TileIndex.open(folder, verify=True) for folder in (one, other)]
    with pytest.raises(BadChange, match="--other-size"):
        merge_indexes(indexes, tmp_path / "both")
    assert not (tmp_path / "both").exists()
    assert merge_indexes(indexes, tmp_path / "both", other_size=True).count == 4
    for index in indexes:
        index.close()
    assert len(content(tmp_path / "both")) == 4


def test_two_zooms_of_one_folder_are_two_sizes_as_well(tmp_path: Path) -> None:
    one, other = (built(tmp_path / str(zoom), zoom, tiles=tmp_path / "tiles") for zoom in (15, 16))
    with pytest.raises(BadChange, match="--other-size"):
        require(one, other)


def test_an_index_that_has_both_sizes_takes_either(tmp_path: Path) -> None:
    one, other = built(tmp_path / "15", 15), built(tmp_path / "16", 16)
    both = built(tmp_path / "both", 15, 16, row=3)
    require(one, both)
    require(both, other)
    require(one, other, both)
    third = built(tmp_path / "17", 17)
    with pytest.raises(BadChange, match="--other-size"):
        require(both, third, one)


def test_what_was_removed_has_no_size(tmp_path: Path) -> None:
    one, other = built(tmp_path / "15", 15), built(tmp_path / "16", 16)
    put_tile(tmp_path / "more", 7, 0, 100)
    add(other, tmp_path / "more", other_size=True)
    require(one, other)
    remove(other, ids=(name_of(7, 0),))
    with pytest.raises(BadChange):
        require(one, other)


def test_parts_of_one_source_go_together_whatever_they_show(tmp_path: Path) -> None:
    """At one zoom a tile far north shows half the ground of one at the equator, and the curve may part them."""
    for number, row in enumerate((0, (1 << (ZOOM - 1)) - TOP)):
        put_tile(tmp_path / "tiles", 0, row, number)
    source = open_source(tmp_path / "tiles")
    parts = [tmp_path / f"part-{number}" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        plan = part_of(make_plan(source, FakeEncoder(), part, SPEC), number, 2)
        build_index(source, FakeEncoder(), part, spec=SPEC, plan=plan)
    require(*parts)
    with pytest.raises(BadChange):
        require(parts[0], built(tmp_path / "finer", 17))
