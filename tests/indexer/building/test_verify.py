import shutil
from pathlib import Path

import pytest

from indexer.building.verify import verify_index
from indexer.common.errors import IndexDamaged, IndexMismatch
from indexer.index.tile_index import TileIndex
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, build_tiny, encoded


def test_an_untouched_index_agrees_with_its_tiles(tmp_path: Path) -> None:
    report = verify_index(build_tiny(tmp_path), FakeEncoder(), sample=5)
    assert report.sampled == 5
    assert report.least_similarity > 0.99999


def test_a_sample_larger_than_the_index_checks_every_tile(tmp_path: Path) -> None:
    assert verify_index(build_tiny(tmp_path), FakeEncoder(), sample=100).sampled == 12


def test_a_tile_that_changed_is_named(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP}.png").write_bytes(encoded(99))
    with pytest.raises(IndexDamaged, match=f"tile 15/{LEFT}/{TOP} embeds to .* has changed since"):
        verify_index(index, FakeEncoder(), sample=12)


def test_a_tile_that_is_gone_is_named(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP}.png").unlink()
    with pytest.raises(IndexDamaged, match=f"tile 15/{LEFT}/{TOP} was indexed but cannot be read again"):
        verify_index(index, FakeEncoder(), sample=12)


def test_without_its_source_nothing_is_embedded_again(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    shutil.rmtree(tmp_path / "tiles")
    assert verify_index(TileIndex.open(index.folder), FakeEncoder()).sampled == 0


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexMismatch):
        verify_index(build_tiny(tmp_path), FakeEncoder("other"))
