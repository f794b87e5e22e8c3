import numpy as np

from indexer.index.tile_index import TileIndex
from indexer.milvus.recall import recall_of, turned_vectors
from tests.indexer.tiny import build_tiny


def test_an_index_finds_all_of_its_own(folder_index):
    assert recall_of(folder_index, folder_index, turned_vectors(folder_index, 8)) == 1.0


def test_what_is_not_there_is_not_found(folder_index, tmp_path):
    part: TileIndex = build_tiny(tmp_path, columns=1, rows=5)  # its pictures are those of the first column
    assert recall_of(part, folder_index, turned_vectors(folder_index, 30)) < 0.5


def test_queries_are_unit_vectors_beside_those_of_tiles(folder_index):
    queries = turned_vectors(folder_index, 10)
    assert queries.shape == (10, 27)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1.0, atol=1e-5)
    best = folder_index.search(queries, top_k=1)
    np.testing.assert_allclose([one.scores[0] for one in best], 0.8, atol=0.15)
