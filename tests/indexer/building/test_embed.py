import threading
from pathlib import Path

import numpy as np

from indexer.building.decode_ahead import DecodeAhead
from indexer.building.embed import embed_shard
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.tiny import make_tiles, vector_of


class SlowStart:
    """A source whose first tile comes last, and that remembers how many tiles were read."""

    kind, path = "slow", Path("slow")

    def __init__(self, folder: Path) -> None:
        self._inner = open_source(folder)
        self._others = threading.Event()
        self.table = self._inner.list_tiles().table
        self.read_count = 0

    def read(self, tile: object) -> bytes:
        self.read_count += 1
        if tile.tile_id == self.table.tile_id[0]:  # type: ignore[attr-defined]
            self._others.wait(timeout=0.2)
        return self._inner.read(tile)  # type: ignore[arg-type, return-value]


def test_tiles_come_in_the_order_asked_for(tmp_path: Path) -> None:
    source, encoder = SlowStart(make_tiles(tmp_path, 7, 7)), FakeEncoder()
    rows = list(range(49))
    with DecodeAhead(source, source.table, encoder.inputs, threads=4, ahead=16) as decoding:  # type: ignore[arg-type]
        assert [tile.row for tile in decoding.stream(rows)] == rows


def test_reading_stays_a_bounded_number_of_tiles_ahead(tmp_path: Path) -> None:
    source, encoder = SlowStart(make_tiles(tmp_path, 20, 20)), FakeEncoder()
    with DecodeAhead(source, source.table, encoder.inputs, threads=2, ahead=32) as decoding:  # type: ignore[arg-type]
        next(decoding.stream(list(range(400))))
        threading.Event().wait(0.1)
        assert source.read_count <= 32 * 5


def test_vectors_are_those_of_the_tiles_in_order(tmp_path: Path) -> None:
    source, encoder = open_source(make_tiles(tmp_path, 3, 3)), FakeEncoder()
    table = source.list_tiles().table
    with DecodeAhead(source, table, encoder.inputs, threads=2, ahead=16) as decoding:
        vectors, report = embed_shard(
            decoding.stream(list(range(9))), encoder, batch_size=4, on_progress=lambda _: None
        )
    assert report.rows == list(range(9))
    assert report.sizes == {"48 x 48": 9}
    for seed in range(9):
        assert (vectors[seed].astype(np.float32) * vector_of(seed)[0]).sum() > 0.998
