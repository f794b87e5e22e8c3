"""A flipped byte in files that are really larger than those that are hashed at once; 300 MB of disk, off by default."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import IndexDamaged
from indexer.index.manifest import EMBEDDINGS, HASHED_AT_ONCE_BYTES
from indexer.index.search_spec import SearchSpec
from indexer.index.segment_writer import MadeBy, VectorWriter, finish_segment
from indexer.index.tile_index import TileIndex
from indexer.tiles.region import CircleRegion
from indexer.tiles.tile_table import TileTable
from tests.indexer.tiny import table_of_boxes

pytestmark = pytest.mark.slow

COUNT, DIM, ANCHORS = 45_000, 64, 49
HEADER, ROW = 128, 2 * DIM * ANCHORS
PLACES = [8, 127, 128, (1 << 20) - 1, 1 << 20, 150_000_001, (256 << 20) - 1, 256 << 20, HEADER + COUNT * ROW - 1]


def tiles() -> TileTable:
    down, across = np.divmod(np.arange(COUNT), 300)
    west, south = 8.0 + across * 0.001, 47.0 + down * 0.001
    return table_of_boxes(west, south, west + 0.001, south + 0.001)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder, random = tmp_path_factory.mktemp("large") / "index", np.random.default_rng(0)
    folder.mkdir()
    with VectorWriter(folder, (COUNT, DIM * ANCHORS)) as writer:
        for _ in range(COUNT // 3_000):
            vectors = random.standard_normal((3_000 * ANCHORS, DIM), dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            writer.write(vectors.astype(np.float16).reshape(3_000, -1))
    anchors = [(east / 10, north / 10) for east in range(-3, 4) for north in range(-3, 4)]
    made_by = MadeBy({"name": "none", "digest": "0" * 64}, DIM, anchors)
    source = {"kind": "folder", "path": "none"}
    finish_segment(folder, tiles(), made_by, search=SearchSpec(latency_ms=1e9), source=source, counts={"listed": COUNT})
    assert (folder / EMBEDDINGS).stat().st_size > HASHED_AT_ONCE_BYTES
    yield folder
    (folder / EMBEDDINGS).unlink()


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 0x40]))


def vector(folder: Path, place: int) -> np.ndarray:
    """The vector that a byte belongs to, as it was written."""
    stored = np.memmap(folder / EMBEDDINGS, np.float16, "r", HEADER)
    start = max(0, place - HEADER) // (2 * DIM) * DIM
    found = np.asarray(stored[start : start + DIM], np.float32)
    return found[None] / np.linalg.norm(found)


def ask(folder: Path, query: np.ndarray, *, near: int | None = None) -> list[int]:
    """The row that answers, looked for everywhere or near one."""
    index = TileIndex.open(folder)
    try:
        area = None if near is None else CircleRegion(index.tile(near).bounds.centre, 1.0)
        rows: list[int] = index.search(query, top_k=1, region=area)[0].rows.tolist()
        return rows
    finally:
        index.close()


@pytest.mark.parametrize("place", PLACES)
def test_a_flipped_byte_never_answers(large: Path, place: int) -> None:
    row, query = max(0, place - HEADER) // ROW, vector(large, place)
    flip(large / EMBEDDINGS, place)
    try:
        for near in (None, row):
            with pytest.raises(IndexDamaged, match=r"embeddings\.npy"):
                ask(large, query, near=near)
    finally:
        flip(large / EMBEDDINGS, place)
    assert ask(large, query) == [row]
