import numpy as np
import pytest

from indexer.common.errors import BadQuery, IndexMismatch
from indexer.index.searchable import checked_queries, require_same_encoder
from tests.fakes import FakeEncoder


def test_queries_are_rows_of_floats():
    found = checked_queries(np.ones((4, 6), np.float64)[:, ::2], 1, 3)
    assert (found.dtype, found.shape) == (np.float32, (4, 3))
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("queries", "top_k", "said"),
    [
        (np.ones((1, 4)), 1, "wants"),
        (np.ones(3), 1, "wants"),
        (np.ones((0, 3)), 1, "wants"),
        (np.full((1, 3), np.inf), 1, "infinity"),
        (np.ones((1, 3)), 0, "top_k is 0"),
    ],
)
def test_others_are_refused(queries, top_k, said):
    with pytest.raises(BadQuery, match=said):
        checked_queries(queries, top_k, 3)


def test_vectors_of_another_encoder_or_family_are_not_compared():
    encoder = FakeEncoder()
    built_by = {"name": "fake", "digest": encoder.digest, "numbers": "float"}
    require_same_encoder(encoder, built_by, 27, "there")
    require_same_encoder(encoder, {"name": "fake", "digest": encoder.digest}, 27, "there")
    for change, dim in (({"digest": "0" * 64}, 27), ({}, 28), ({"numbers": "int8"}, 27)):
        with pytest.raises(IndexMismatch, match="there holds"):
            require_same_encoder(encoder, built_by | change, dim, "there")
