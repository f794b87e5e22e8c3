"""Several indexes as one, and which tile wins."""

import datetime
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.building.plan import make_plan, part_of
from indexer.common.errors import BadChange, BadSource, IndexMismatch
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.merge import Merged, merge_indexes
from indexer.tiles.sources.open_source import open_source
from model.common.errors import OutputExists
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, add, best, compact, content, name_of, opened, put_tile, remove
from tests.indexer.tiny import LEFT, TOP, build_tiny, vector_of


def merge(out: Path, *folders: Path) -> Merged:
    indexes = [TileIndex.open(folder, verify=True) for folder in folders]
    try:
        return merge_indexes(indexes, out)
    finally:
        for index in indexes:
            index.close()


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Twelve tiles, and two others of which one is among them with another picture."""
    build_tiny(tmp_path / "a").close()
    put_tile(tmp_path / "b" / "tiles", 0, 0, 90)
    put_tile(tmp_path / "b" / "tiles", 9, 0, 91)
    build_index(open_source(tmp_path / "b" / "tiles"), FakeEncoder(), tmp_path / "b" / "index", spec=SPEC)
    return tmp_path / "a" / "index", tmp_path / "b" / "index"


def test_the_index_named_last_wins(two: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = content(two[0]), content(two[1])
    assert merge(tmp_path / "ab", *two) == Merged(13, [1, 0])
    assert content(tmp_path / "ab") == first | second
    assert merge(tmp_path / "ba", *reversed(two)) == Merged(13, [1, 0])
    assert content(tmp_path / "ba") == second | first
    assert (content(two[0]), content(two[1])) == (first, second)


def test_a_merged_index_finds_pictures_and_lives_on(two: tuple[Path, Path], tmp_path: Path) -> None:
    merge(tmp_path / "deep" / "ab", *two)
    with opened(tmp_path / "deep" / "ab") as index:
        assert index.tile_image(15, LEFT + 9, TOP) is not None
        assert index.tile_image(15, LEFT + 1, TOP) is not None
    put_tile(tmp_path / "more", 20, 0, 92)
    add(tmp_path / "deep" / "ab", tmp_path / "more")
    remove(tmp_path / "deep" / "ab", ids=(name_of(1, 1),))
    compact(tmp_path / "deep" / "ab")
    assert len(content(tmp_path / "deep" / "ab")) == 13
    assert len(content(two[0])) == 12
    assert best(tmp_path / "deep" / "ab", vector_of(92), 1)[0][0] == name_of(20, 0)


def test_parts_of_one_build_are_the_whole(tmp_path: Path) -> None:
    build_tiny(tmp_path, 6, 4).close()
    source = open_source(tmp_path / "tiles")
    parts = [tmp_path / f"part-{number}" for number in range(3)]
    for number, part in enumerate(parts):
        plan = part_of(make_plan(source, FakeEncoder(), part, SPEC), number + 1, len(parts))
        build_index(source, FakeEncoder(), part, spec=SPEC, plan=plan)
    assert merge(tmp_path / "merged", *parts) == Merged(24, [0, 0, 0])
    assert content(tmp_path / "merged") == content(tmp_path / "index")
    compact(tmp_path / "merged")
    whole = tmp_path / "merged" / "segments" / "000004"
    assert (whole / "embeddings.npy").read_bytes() == (tmp_path / "index" / "embeddings.npy").read_bytes()
    with pytest.raises(BadSource, match="holds none of the 24 tiles"):
        part_of(make_plan(source, FakeEncoder(), tmp_path / "x", SPEC), 30, 30)


def test_tiles_of_another_date_are_not_the_same(tmp_path: Path) -> None:
    build_tiny(tmp_path, 2, 2).close()
    source, later = open_source(tmp_path / "tiles"), tmp_path / "later"
    plan = make_plan(source, FakeEncoder(), later, SPEC, date=datetime.date(2026, 6, 1))
    build_index(source, FakeEncoder(), later, spec=SPEC, plan=plan)
    assert merge(tmp_path / "both", tmp_path / "index", later) == Merged(8, [0, 0])


def test_what_does_not_go_together_is_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    for folders in (two[:1], (two[0], two[0])):
        with pytest.raises(BadChange, match="at least two"):
            merge(tmp_path / "out", *folders)
    with pytest.raises(OutputExists):
        merge(two[0], *two)
    anchored = FakeEncoder(inputs=InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=3))
    for name, encoder in (("other", FakeEncoder("other")), ("anchored", anchored)):
        build_tiny(tmp_path / name, 1, 1, encoder=encoder).close()
        with pytest.raises(IndexMismatch, match="rebuild one of them"):
            merge(tmp_path / "out", two[0], tmp_path / name / "index")
    assert not (tmp_path / "out").exists()
