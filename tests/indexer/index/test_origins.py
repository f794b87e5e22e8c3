"""What tiles were read from, written and read back."""

from pathlib import Path

import numpy as np

from indexer.index.geoparquet import write_tiles
from indexer.index.origins import Origins, first_of_equals, read_origins, write_stamps
from tests.indexer.tiny import table_of_boxes

RNG = np.random.default_rng(0)


def some(count: int) -> Origins:
    sha256 = RNG.integers(0, 256, (count, 32), dtype=np.uint8)
    return Origins(RNG.integers(0, 10**9, count), sha256, RNG.integers(-(2**62), 2**62, count))


def write(folder: Path, origins: Origins | None, count: int = 5) -> None:
    edge = np.arange(count) * 0.1
    write_tiles(folder / "tiles.parquet", table_of_boxes(edge, edge, edge + 0.1, edge + 0.1), origins)


def test_origins_come_back(tmp_path: Path) -> None:
    origins = some(5)
    write(tmp_path, origins)
    write_stamps(tmp_path, origins.stamp)
    found = read_origins(tmp_path)
    assert found is not None
    for name in ("size_bytes", "sha256", "stamp"):
        assert getattr(found, name).tolist() == getattr(origins, name).tolist()


def test_stamps_that_are_missing_damaged_or_of_another_number_are_zero(tmp_path: Path) -> None:
    write(tmp_path, some(5))
    stamps = tmp_path / "stamps.bin"
    for prepare in (
        lambda: None,
        lambda: write_stamps(tmp_path, np.arange(4)),
        lambda: write_stamps(tmp_path, np.arange(5)) or stamps.write_bytes(stamps.read_bytes()[:-1] + b"\x01"),
    ):
        prepare()
        found = read_origins(tmp_path)
        assert found is not None
        assert found.stamp.tolist() == [0] * 5


def test_a_segment_without_origins_has_none(tmp_path: Path) -> None:
    write(tmp_path, None)
    assert read_origins(tmp_path) is None


def test_the_first_of_equal_pictures_is_named() -> None:
    sha256 = some(4).sha256[[0, 1, 0, 2, 1, 3]]
    assert first_of_equals(sha256).tolist() == [0, 1, 0, 3, 1, 5]
    assert Origins.joined([some(2), some(3)]).take(np.array([4, 0])).sha256.shape == (2, 32)
