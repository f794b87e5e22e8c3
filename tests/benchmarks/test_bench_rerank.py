"""The finer anchors of the benchmark hold those of an index, however many it has."""

import pytest

from benchmarks.bench_rerank import Finer
from model.inputs.anchors import anchor_points


@pytest.mark.parametrize("anchors", [1, 2, 4, 5, 7])
def test_every_second_point_is_an_anchor_of_the_index(anchors: int) -> None:
    finer = Finer(anchors)
    own = [point for south, east, point in finer.points() if south % 2 == east % 2 == 0]
    assert len(own) == anchors**2
    for found, wanted in zip(own, anchor_points(anchors), strict=True):
        assert found == pytest.approx(wanted)
