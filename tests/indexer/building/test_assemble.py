import json
from pathlib import Path

import numpy as np

from indexer.building.assemble import finish_folder
from indexer.building.plan import BuildSpec
from indexer.index.tile_index import TileIndex
from tests.fakes import FakeEncoder
from tests.indexer.index.test_exact_search import unit
from tests.indexer.tiny import build_tiny, table_of_boxes


def test_the_manifest_says_what_lies_in_the_folder(tmp_path: Path) -> None:
    np.save(tmp_path / "embeddings.npy", unit(2, FakeEncoder().dim).astype(np.float16))
    tiles = table_of_boxes([8.0, 8.001], [47.0, 47.0], [8.002, 8.003], [47.001, 47.001])
    manifest = finish_folder(
        tmp_path, tiles, FakeEncoder(), spec=BuildSpec(), source={"kind": "list", "path": "x"}, counts={"listed": 2}
    )
    assert (manifest.count, manifest.dim) == (2, 27)
    assert manifest.bounds.as_tuple() == (8.0, 47.0, 8.003, 47.001)
    assert manifest.tile_size_m == (151.67, 111.2)
    assert sorted(manifest.files) == ["embeddings.npy", "tiles.parquet"]
    assert TileIndex.open(tmp_path, verify=True).manifest == manifest


def test_the_manifest_holds_nothing_of_time_or_place(tmp_path: Path) -> None:
    manifests = [build_tiny(tmp_path / name).folder / "manifest.json" for name in ("here", "there")]
    assert manifests[0].read_bytes() == manifests[1].read_bytes()
    assert str(tmp_path) not in json.dumps(json.loads(manifests[0].read_text()))
