"""Only what has changed is embedded; what is gone goes."""

import datetime
import os
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.common.errors import BadChange, BadSource
from indexer.index.index_manifest import IndexManifest
from indexer.tiles.grid import tile_bounds
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from model.common.geo import Bounds
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, add, compact, content, name_of, opened, put_tile, update
from tests.indexer.tiny import LEFT, TOP, ZOOM, build_tiny, make_tiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny(tmp_path).close()
    return tmp_path / "index"


def test_an_updated_index_holds_what_a_build_would(folder: Path, tmp_path: Path) -> None:
    tiles = tmp_path / "tiles"
    put_tile(tiles, 0, 0, 70)
    put_tile(tiles, 9, 9, 71)
    gone = put_tile(tiles, 3, 2, 0)
    gone.unlink()
    (one,) = update(folder)
    assert (one.new, one.changed, one.gone_count, one.same) == (1, 1, 1, 10)
    assert len(one.plan.tiles) == 2
    build_index(open_source(tiles), FakeEncoder(), tmp_path / "whole", spec=SPEC)
    assert content(folder) == content(tmp_path / "whole")
    (again,) = update(folder)
    assert (again.new, again.changed, again.gone_count, again.same) == (0, 0, 0, 12)
    compact(folder)
    assert content(folder) == content(tmp_path / "whole")
    (again,) = update(folder)
    assert again.same == 12


def test_nothing_new_leaves_every_byte(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    update(folder)
    assert (folder / "manifest.json").read_bytes() == before


def test_a_file_that_was_only_touched_is_read_and_not_embedded(folder: Path, tmp_path: Path) -> None:
    os.utime(next((tmp_path / "tiles").rglob("*.png")), ns=(1, 1))
    (one,) = update(folder)
    assert (one.changed, one.same) == (0, 12)


def test_without_stamps_pictures_are_compared(folder: Path, tmp_path: Path) -> None:
    (folder / "stamps.bin").write_bytes(b"damaged")
    put_tile(tmp_path / "tiles", 0, 0, 70)
    (one,) = update(folder)
    assert (one.changed, one.same) == (1, 11)


def test_what_is_gone_can_stay(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "tiles", 3, 2, 0).unlink()
    update(folder, keep_gone=True)
    assert name_of(3, 2) in content(folder)
    update(folder)
    assert name_of(3, 2) not in content(folder)


def test_a_changed_tile_that_is_broken_keeps_its_vector(folder: Path, tmp_path: Path) -> None:
    before = content(folder)
    put_tile(tmp_path / "tiles", 0, 0, 0).write_bytes(b"broken")
    update(folder)
    assert content(folder) == before


def test_each_source_is_compared_with_itself(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "more", 7, 0, 100)
    add(folder, tmp_path / "more")
    put_tile(tmp_path / "more", 7, 0, 101)
    put_tile(tmp_path / "tiles", 0, 0, 70)
    (only,) = update(folder, tiles=tmp_path / "more")
    assert (only.changed, only.same) == (1, 0)
    first, second = update(folder)
    assert (first.changed, first.same, second.changed, second.same) == (1, 11, 0, 1)
    with opened(folder) as index:
        assert index.count == 13
    with pytest.raises(BadChange, match=r"nothing in .* comes from .*elsewhere; its sources: "):
        update(folder, tiles=tmp_path / "elsewhere")


def test_a_source_that_is_gone_is_named_and_the_index_stays(folder: Path, tmp_path: Path) -> None:
    digest = IndexManifest.read(folder).digest
    (tmp_path / "tiles").rename(tmp_path / "moved")
    with pytest.raises(BadSource, match="tiles is not on disk"):
        update(folder)
    assert IndexManifest.read(folder).digest == digest


def test_an_update_keeps_to_the_zoom_and_the_box_of_the_build(tmp_path: Path) -> None:
    tiles = make_tiles(tmp_path / "tiles", 4, 3)
    west, south, east, north = (float(edge) for edge in tile_bounds(ZOOM, LEFT, TOP))
    inset = Bounds(west + 1e-4, south + 1e-4, east - 1e-4, north - 1e-4)
    options = SourceOptions(zoom=ZOOM, bbox=inset)
    build_index(open_source(tiles, options), FakeEncoder(), tmp_path / "index", spec=SPEC)
    make_tiles(tiles, 2, 2, ZOOM + 1, left=2 * LEFT, top=2 * TOP)  # which would be the deepest
    (one,) = update(tmp_path / "index")
    assert (one.new, one.changed, one.gone_count, one.same) == (0, 0, 0, 1)


def test_tiles_that_another_source_has_brought_are_not_brought_again(folder: Path, tmp_path: Path) -> None:
    more = make_tiles(tmp_path / "more", 3, 3, left=LEFT + 2)
    add(folder, more)
    before = content(folder)
    put_tile(tmp_path / "more", 6, 0, 90)
    first, second = update(folder)
    assert [(one.new, one.changed, one.gone_count, one.same) for one in (first, second)] == [
        (0, 0, 0, 12),
        (1, 0, 0, 9),
    ]
    assert set(content(folder)) == {*before, name_of(6, 0)}


def test_a_tile_that_is_new_in_two_sources_is_brought_once(folder: Path, tmp_path: Path) -> None:
    add(folder, make_tiles(tmp_path / "more", 1, 1, left=LEFT + 20))
    for tiles in ("tiles", "more"):
        put_tile(tmp_path / tiles, 30, 0, 91)
    first, second = update(folder)
    assert [(one.new, one.same) for one in (first, second)] == [(1, 12), (0, 2)]
    assert name_of(30, 0) in content(folder)


def test_tiles_of_another_date_are_other_tiles(folder: Path, tmp_path: Path) -> None:
    add(folder, tmp_path / "tiles", date=datetime.date(2026, 6, 1))
    put_tile(tmp_path / "tiles", 9, 9, 71)
    assert [one.new for one in update(folder)] == [1, 1]
    with opened(folder) as index:
        assert index.count == 26
