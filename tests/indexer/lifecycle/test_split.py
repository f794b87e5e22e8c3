"""A part of an index as an index of its own."""

from pathlib import Path

import pytest

from indexer.common.errors import NoTilesInRegion
from indexer.index.index_manifest import IndexManifest
from indexer.lifecycle.split import split_index
from indexer.tiles.region import BoxRegion
from model.common.errors import OutputExists
from model.common.geo import Bounds
from tests.indexer.lifecycle.living import add, content, opened, put_tile
from tests.indexer.tiny import build_tiny


def halves(bounds: Bounds) -> list[BoxRegion]:
    middle = bounds.west + 0.55 * (bounds.east - bounds.west)
    return [
        BoxRegion(Bounds(bounds.west, bounds.south, middle, bounds.north)),
        BoxRegion(Bounds(middle, bounds.south, bounds.east, bounds.north)),
    ]


def test_two_halves_are_the_whole_and_the_index_stays(tmp_path: Path) -> None:
    build_tiny(tmp_path, 6, 4).close()
    whole = content(tmp_path / "index")
    with opened(tmp_path / "index") as index:
        counts = [
            split_index(index, half, tmp_path / f"half-{number}")
            for number, half in enumerate(halves(index.manifest.bounds))
        ]
    parts = [content(tmp_path / f"half-{number}") for number in (0, 1)]
    assert counts == [len(part) for part in parts]
    assert min(counts) > 0
    assert parts[0] | parts[1] == whole
    assert parts[0].keys().isdisjoint(parts[1])
    assert content(tmp_path / "index") == whole
    with opened(tmp_path / "half-1") as half:
        assert half.image(0) is not None


def test_parts_of_several_sources_keep_them(tmp_path: Path) -> None:
    build_tiny(tmp_path, 2, 2).close()
    put_tile(tmp_path / "more", 2, 0, 60)
    add(tmp_path / "index", tmp_path / "more")
    with opened(tmp_path / "index") as index:
        assert split_index(index, BoxRegion(index.manifest.bounds), tmp_path / "out") == 5
    assert content(tmp_path / "out") == content(tmp_path / "index")
    assert len(IndexManifest.read(tmp_path / "out").segments) == 2


def test_an_empty_part_and_a_folder_that_is_there_are_refused(tmp_path: Path) -> None:
    build_tiny(tmp_path, 2, 2).close()
    with opened(tmp_path / "index") as index:
        with pytest.raises(NoTilesInRegion):
            split_index(index, BoxRegion(Bounds(0.0, 0.0, 1.0, 1.0)), tmp_path / "out")
        with pytest.raises(OutputExists):
            split_index(index, BoxRegion(index.manifest.bounds), tmp_path / "index")
    assert not (tmp_path / "out").exists()
