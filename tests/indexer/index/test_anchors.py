"""Indexes whose tiles are described around several anchors."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.building.plan import BuildSpec
from indexer.building.verify import verify_index
from indexer.common.errors import BadQuery, IndexDamaged
from indexer.confidence.features import TopK
from indexer.index.search_spec import SearchSpec
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.index.zones import best_anchors
from indexer.localization.localizer import Localizer
from indexer.tiles.region import CircleRegion
from model.common.geo import LatLon, great_circle_m
from model.inputs.anchors import anchor_px, recentre
from model.inputs.transforms import InputSpec, lay_panorama
from tests.fakes import FakeEncoder
from tests.indexer.tiny import build_tiny, encoded, picture, table_of_boxes, vector_of

ANCHORED = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=3)


@pytest.fixture
def index(tmp_path: Path) -> TileIndex:
    return build_tiny(tmp_path, encoder=FakeEncoder(inputs=ANCHORED))


def seen_from(seed: int, anchor: int) -> np.ndarray:
    """The vector of a tile, described around one of its anchors."""
    point = anchor_px(ANCHORED.anchor_points[anchor], 32)
    return FakeEncoder().encode_satellite(recentre(np.asarray(picture(seed, 32))[None], *point))


def brute(index: TileIndex, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each tile's best score over its anchors, and which it is."""
    scores = (
        index.segments[0].vectors.astype(np.float64).reshape(index.count, 9, -1) @ query[0].astype(np.float64)
    ).astype(np.float32)
    return scores.max(axis=1), scores.argmax(axis=1)


@pytest.mark.parametrize("latency_ms", [50.0, 0.0])
@pytest.mark.parametrize("anchor", [0, 4, 7])
def test_a_tile_is_found_by_any_of_its_anchors_and_named_once(tmp_path: Path, anchor: int, latency_ms: float) -> None:
    spec = BuildSpec(search=SearchSpec(latency_ms=latency_ms))
    index = build_tiny(tmp_path, encoder=FakeEncoder(inputs=ANCHORED), spec=spec)
    query = seen_from(5, anchor)
    (result,) = index.search(query, top_k=4)
    best, which = brute(index, query)
    order = np.argsort(-best, kind="stable")[:4]
    assert result.rows.tolist() == order.tolist()
    assert result.scores.tolist() == best[order].tolist()
    assert result.anchors.tolist() == which[order].tolist()
    assert result.anchors[0] == anchor
    assert result.exact == (latency_ms > 0)


def test_a_region_holds_tiles_and_not_vectors(index: TileIndex) -> None:
    tile = index.tile(3)
    (result,) = index.search(vector_of(1), top_k=50, region=CircleRegion(LatLon(tile.lat, tile.lon), 1.0))
    assert result.rows.tolist() == [3]
    assert result.scanned == 1


def test_the_answers_point_is_the_anchor_that_matches(index: TileIndex) -> None:
    tile = index.tile(0)
    assert index.point(0, 4) == LatLon(tile.lat, tile.lon)
    corner = index.point(0, 0)
    assert corner.lat > tile.lat
    assert corner.lon < tile.lon
    side_m = math.dist((0, 0), index.manifest.tile_size_m)
    assert great_circle_m(corner, LatLon(tile.lat, tile.lon)) == pytest.approx(side_m / 6, rel=1e-3)
    localizer = Localizer(FakeEncoder(), index)
    canvas = lay_panorama(Image.fromarray(np.asarray(picture(0, 64))), localizer.encoder.inputs, heading_deg=0.0)
    hits = localizer.rank_tiles(canvas, heading_deg=0.0).hits
    candidates = TopK.of(index, hits)
    points = [index.point(hit.row, hit.anchor) for hit in hits]
    assert [LatLon(*place) for place in zip(candidates.lats, candidates.lons, strict=True)] == points


def test_the_index_says_its_anchors_and_is_verified_by_them(index: TileIndex, tmp_path: Path) -> None:
    assert index.anchors == 9
    assert index.manifest.anchors == ANCHORED.anchor_points
    assert index.segments[0].vectors.shape == (12, 9 * 27)
    assert verify_index(index, FakeEncoder(inputs=ANCHORED), sample=12).least_similarity > 0.99999
    (tile,) = tmp_path.glob("tiles/*/17000/11000.png")
    tile.write_bytes(encoded(99))
    with pytest.raises(IndexDamaged, match="has changed since"):
        verify_index(index, FakeEncoder(inputs=ANCHORED), sample=12)


def test_every_score_is_the_best_over_the_queries_at_every_anchor(index: TileIndex) -> None:
    queries = np.concatenate([seen_from(5, 4), seen_from(2, 0)]).astype(np.float64) * (1 + 1e-9)
    everywhere = index.score_all(queries)
    expected = index.segments[0].vectors.astype(np.float32).reshape(-1, 27) @ queries.astype(np.float32).T
    assert everywhere.rows.tolist() == list(range(12))
    assert everywhere.scores.tolist() == expected.max(axis=1).reshape(12, 9).tolist()
    assert int(everywhere.peaks.argmax()) == int(expected.max(axis=0).argmax())
    here = index.score_all(queries, region=CircleRegion(index.tile(3).bounds.centre, 1.0))
    assert here.rows.tolist() == [3]
    np.testing.assert_allclose(here.scores, everywhere.scores[3:4], atol=1e-6)
    with pytest.raises(BadQuery, match=r"this index wants \[Q, 27\]"):
        index.score_all(queries[:, :5])


def test_an_approximate_search_counts_tiles_and_has_candidates_for_all_anchors(tmp_path: Path) -> None:
    spec, encoder = BuildSpec(search=SearchSpec(latency_ms=0)), FakeEncoder(inputs=ANCHORED)
    index = build_tiny(tmp_path, 8, 8, encoder=encoder, spec=spec)
    few, many = (index.search(seen_from(5, 4), top_k=top_k)[0] for top_k in (1, 40))
    assert 1 <= few.scanned < many.scanned <= 64
    assert len(many.rows) == min(40, many.scanned)


def test_an_anchor_of_a_tile_across_the_antimeridian(index: TileIndex) -> None:
    tiles = table_of_boxes([179.99], [0.0], [-179.99], [0.02])
    segment = index.segments[0]
    crossing = Segment(index.folder, replace(segment.manifest, count=1), tiles, segment.vectors[:1])
    assert crossing.point(0, 4) == LatLon(0.01, 180.0)
    for anchor, lon in ((3, 180 - 0.02 / 6), (5, -180 + 0.02 / 6)):
        assert crossing.point(0, anchor).lon == pytest.approx(lon, abs=1e-9)


def test_of_equal_scores_the_lower_row_comes_first() -> None:
    rows, scores, anchors = best_anchors(
        np.array([0.9, 0.9, 0.8, 0.8, 0.1], np.float32), np.array([5, 9, 0, 4, 1]), per_tile=4, top_k=3
    )
    assert rows.tolist() == [1, 2, 0]
    assert anchors.tolist() == [1, 1, 0]
    assert scores.tolist() == pytest.approx([0.9, 0.9, 0.8])
