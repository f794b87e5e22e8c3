import json
from dataclasses import replace

import pytest

from indexer.common.errors import IndexDamaged, IndexVersion
from indexer.milvus.card import IndexCard, SearchWay
from model.common.geo import Bounds

CARD = IndexCard(
    name="city", digest="d" * 64, encoder={"name": "fake", "digest": "e" * 64, "numbers": "float"}, dim=27,
    anchors=[(-0.25, 0.0), (0.25, 0.0)], count=12, bounds=Bounds(179.0, -1.0, -179.0, 1.0), tile_size_m=(100.0, 99.5),
    crossing=True, dates=["2026-06-01", "no date"], zooms=[18], search=SearchWay("IVF_FLAT", {"nlist": 8}, 2),
    recall=0.9, calibrations=[{"here_m": 50.0}], written_by="1",
)  # fmt: skip


def test_it_comes_back_as_it_went():
    assert IndexCard.from_text(CARD.as_text(), "there") == CARD


def test_what_was_changed_is_refused():
    content = json.loads(CARD.as_text())
    with pytest.raises(IndexDamaged, match="checksum"):
        IndexCard.from_text(json.dumps(content | {"count": 13}), "there")
    for text in ("", "[]", "{}", "null", json.dumps({**content, "bounds": None})):
        with pytest.raises(IndexDamaged, match="there"):
            IndexCard.from_text(text, "there")


def test_another_version_is_named():
    content = json.loads(CARD.as_text())
    with pytest.raises(IndexVersion, match="version 2"):
        IndexCard.from_text(json.dumps(content | {"version": 2}), "there")


def test_every_list_visited_is_exact():
    assert CARD.search.exhaustive() == SearchWay("IVF_FLAT", {"nlist": 8}, 8)
    assert SearchWay().exhaustive() == SearchWay()
    assert SearchWay("HNSW", {"M": 16}, 128).exhaustive() is None


def test_a_graph_keeps_as_many_candidates_as_are_wanted():
    way = SearchWay("HNSW", {"M": 16}, 128)
    assert way.params(10)["params"] == {"ef": 128}
    assert way.params(500)["params"] == {"ef": 500}
    assert replace(CARD.search, effort=3).params(10)["params"] == {"nprobe": 3}
