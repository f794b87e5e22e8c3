import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadQuery, IndexDamaged, IndexMismatch, IndexVersion
from indexer.index.tile_index import TileIndex
from indexer.tiles.region import BoxRegion, CircleRegion
from model.common.geo import Bounds, great_circle_m
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, build_tiny, encoded, vector_of


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    return build_tiny(tmp_path_factory.mktemp("folder"))


@pytest.fixture
def copied(index: TileIndex, tmp_path: Path) -> Path:
    return Path(shutil.copytree(index.folder, tmp_path / "index"))


def test_a_tile_finds_itself_all_the_way_from_its_picture(index: TileIndex) -> None:
    for column in range(4):
        for row in range(3):
            (result,) = index.search(vector_of(column * 3 + row), top_k=1)
            assert index.tile(int(result.rows[0])).tile_id == f"15/{LEFT + column}/{TOP + row}"
            assert result.scores[0] > 0.998
            assert result.exact


def test_rows_lie_along_the_curve(index: TileIndex) -> None:
    tiles = [index.tile(row) for row in range(index.count)]
    steps = [great_circle_m(a.bounds.centre, b.bounds.centre) for a, b in pairwise(tiles)]
    assert max(steps) < 2.5 * index.manifest.tile_size_m[0]
    assert (np.diff(index.tiles.curve_keys) > 0).all()


def test_a_region_limits_the_search(index: TileIndex) -> None:
    here = index.tile(5)
    (result,) = index.search(vector_of(0), top_k=100, region=CircleRegion(here.bounds.centre, 1.0))
    assert result.rows.tolist() == [5]
    (result,) = index.search(vector_of(0), top_k=5, region=BoxRegion(Bounds(0.0, 0.0, 1.0, 1.0)))
    assert (result.rows.tolist(), result.scanned) == ([], 0)


def test_many_queries_are_answered_in_order(index: TileIndex) -> None:
    queries = np.concatenate([vector_of(seed) for seed in (7, 2)])
    ids = [index.tile(int(result.rows[0])).tile_id for result in index.search(queries, top_k=2)]
    assert ids == [f"15/{LEFT + 2}/{TOP + 1}", f"15/{LEFT}/{TOP + 2}"]


@pytest.mark.parametrize("top_k", [0, -3])
def test_a_top_k_below_one_is_refused(index: TileIndex, top_k: int) -> None:
    with pytest.raises(BadQuery, match="top_k"):
        index.search(vector_of(0), top_k=top_k)


def test_a_huge_top_k_gives_every_tile(index: TileIndex) -> None:
    (result,) = index.search(vector_of(0), top_k=10**9)
    assert sorted(result.rows.tolist()) == list(range(12))


@pytest.mark.parametrize("query", [np.zeros((1, 5)), np.zeros(27), np.zeros((0, 27)), np.full((1, 27), np.nan)])
def test_queries_of_another_shape_or_not_finite_are_refused(index: TileIndex, query: np.ndarray) -> None:
    with pytest.raises(BadQuery, match="quer"):
        index.search(query, top_k=1)


def test_another_encoder_is_refused(index: TileIndex) -> None:
    index.require_encoder(FakeEncoder())
    with pytest.raises(IndexMismatch, match=r"vectors from fake .* from other .*Rebuild"):
        index.require_encoder(FakeEncoder("other"))


def test_a_tiles_picture_comes_from_its_source(index: TileIndex) -> None:
    image = index.tile_image(15, LEFT + 1, TOP + 2)
    assert image is not None
    assert (image.data, image.media_type) == (encoded(5), "image/png")
    for absent in ((15, LEFT + 9, TOP), (14, LEFT, TOP), (40, 0, 0), (15, -1, 0)):
        assert index.tile_image(*absent) is None


def test_without_its_source_an_index_still_searches(copied: Path) -> None:
    alone = TileIndex.open(copied)
    assert alone.source is None
    assert alone.tile_image(15, LEFT, TOP) is None
    assert len(alone.search(vector_of(0), top_k=3)[0].rows) == 3


def test_tiles_and_index_can_move_together(index: TileIndex, tmp_path: Path) -> None:
    shutil.copytree(index.folder.parent, tmp_path / "moved")
    assert TileIndex.open(tmp_path / "moved" / "index").tile_image(15, LEFT, TOP) is not None


def test_there_is_no_row_beyond_the_last(index: TileIndex) -> None:
    with pytest.raises(BadQuery, match="rows 0 to 11"):
        index.tile(12)


@pytest.mark.parametrize("name", ["manifest.json", "tiles.parquet", "embeddings.npy"])
@pytest.mark.parametrize("place", [0.02, 0.5, 0.97])
def test_a_flipped_byte_is_noticed(copied: Path, name: str, place: float) -> None:
    data = bytearray((copied / name).read_bytes())
    data[int(len(data) * place)] ^= 0x04
    (copied / name).write_bytes(bytes(data))
    with pytest.raises((IndexDamaged, IndexVersion)):
        TileIndex.open(copied)


@pytest.mark.parametrize("name", ["manifest.json", "tiles.parquet", "embeddings.npy"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(IndexDamaged, match=f"{name} is missing"):
        TileIndex.open(copied)


def test_a_truncated_file_is_noticed_without_hashing(copied: Path) -> None:
    path = copied / "embeddings.npy"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(IndexDamaged, match="bytes, the manifest says"):
        TileIndex.open(copied)


def test_a_newer_format_is_refused(copied: Path) -> None:
    path = copied / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    with pytest.raises(IndexVersion, match="99"):
        TileIndex.open(copied)


def test_a_folder_that_is_no_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="no index"):
        TileIndex.open(tmp_path / "nowhere")


def test_large_files_are_hashed_only_when_asked(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.index.tile_index._HASH_ALWAYS_BYTES", 0)
    data = bytearray((copied / "embeddings.npy").read_bytes())
    data[-1] ^= 1
    (copied / "embeddings.npy").write_bytes(bytes(data))
    TileIndex.open(copied)
    with pytest.raises(IndexDamaged, match="SHA-256"):
        TileIndex.open(copied, verify=True)
