"""What a collection answers, beside what the folder that it was made of answers."""

import datetime
import json

import numpy as np
import pytest

from indexer.common.errors import BadQuery, IndexMismatch, NoSuchIndex, NotInDatabase
from indexer.milvus.milvus_index import MilvusIndex
from indexer.milvus.recall import turned_vectors
from indexer.tiles.areas import read_area, read_track
from indexer.tiles.region import BoxRegion, CircleRegion, RecentImagery
from model.common.geo import Bounds
from tests.fakes import FakeEncoder
from tests.indexer.milvus.conftest import address_beside
from tests.indexer.tiny import vector_of


@pytest.fixture(scope="module")
def opened(lite):
    index = MilvusIndex.open(lite)
    yield index
    index.close()


def same(found, wanted):
    """Rows, anchors and scores of two answers."""
    for one, other in zip(found, wanted, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.anchors.tolist() == other.anchors.tolist()
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)


def box_of(index, share=0.5):
    """A box over a part of the corpus."""
    west, south, east, north = index.bounds.as_tuple()
    return Bounds(west, south, west + share * (east - west), south + share * (north - south))


def test_it_says_what_the_folder_says(opened, folder_index):
    for name in ("count", "dim", "anchors", "anchor_points", "bounds", "digest", "dates", "zooms"):
        assert getattr(opened, name) == getattr(folder_index, name), name
    assert opened.name == "city"
    assert opened.folder is None


def test_a_picture_finds_its_tile_and_the_order_is_the_folders(opened, folder_index):
    queries = turned_vectors(folder_index, 20)
    same(opened.search(queries, top_k=7), folder_index.search(queries, top_k=7))
    found = opened.search(vector_of(11), top_k=1)[0]
    assert found.scores[0] == pytest.approx(1.0, abs=1e-3)
    assert found.exact
    assert found.scanned == 30
    assert opened.tile(int(found.rows[0])) == folder_index.tile(int(found.rows[0]))


def test_areas_are_exact(opened, folder_index, tmp_path):
    box = box_of(folder_index)
    west, south, east, north = box.as_tuple()
    polygon, track = tmp_path / "area.json", tmp_path / "track.json"
    triangle = [[west, south], [east, south], [west, north], [west, south]]
    polygon.write_text(json.dumps({"type": "Polygon", "coordinates": [triangle]}))
    track.write_text(json.dumps({"type": "LineString", "coordinates": [[west, south], [east, north]]}))
    areas = [
        BoxRegion(box),
        CircleRegion(folder_index.bounds.centre, 900.0),
        read_area(polygon),
        read_track(track, 50.0),
    ]
    queries = turned_vectors(folder_index, 10)
    for area in areas:
        wanted = folder_index.search(queries, top_k=30, region=area)
        assert 0 < len(wanted[0].rows) < 30
        same(opened.search(queries, top_k=30, region=area), wanted)
        same(opened.search(queries, top_k=2, region=area), folder_index.search(queries, top_k=2, region=area))


def test_an_area_without_tiles_holds_none(opened):
    nowhere = BoxRegion(Bounds(-60.0, -30.0, -59.0, -29.0))
    assert len(opened.search(vector_of(0), top_k=3, region=nowhere)[0].rows) == 0


def test_imagery_without_a_date_is_not_recent(opened, lite):
    recent = RecentImagery(datetime.date(2026, 1, 1))
    assert len(opened.search(vector_of(0), top_k=3, region=recent)[0].rows) == 0
    with pytest.raises(BadQuery, match="no imagery since 2026-01-01; it has imagery of no date"):
        MilvusIndex.open(lite, since=datetime.date(2026, 1, 1))


def test_vectors_places_and_what_is_covered(opened, folder_index):
    assert np.array_equal(opened.vector(4), folder_index.vector(4))
    assert opened.point(4, 0, (0.25, -0.25)) == folder_index.point(4, 0, (0.25, -0.25))
    assert opened.covers(folder_index.bounds.centre)
    assert not opened.covers(type(folder_index.bounds.centre)(0.0, 0.0))
    assert opened.picture(0) is None
    assert opened.tile_image(15, 17_000, 11_000) is None


def test_rows_that_there_are_not_are_refused(opened):
    for row in (-1, 30):
        with pytest.raises(BadQuery, match=f"row {row}"):
            opened.tile(row)
    with pytest.raises(BadQuery, match="row 30"):
        opened.vector(30)


@pytest.mark.parametrize("top_k", [0, 20_000])
def test_a_number_of_tiles_that_cannot_be_had_is_refused(opened, top_k):
    with pytest.raises(BadQuery, match=f"{top_k:,}"):
        opened.search(vector_of(0), top_k=top_k)


def test_queries_of_another_shape_are_refused(opened):
    with pytest.raises(BadQuery, match="27"):
        opened.search(np.zeros((1, 5), np.float32), top_k=1)
    with pytest.raises(BadQuery, match="NaN"):
        opened.search(np.full((1, 27), np.nan, np.float32), top_k=1)


def test_what_needs_every_score_is_refused_by_name(opened):
    with pytest.raises(NotInDatabase, match="one photo at a time"):
        opened.score_all(vector_of(0))


def test_another_encoder_is_refused(opened):
    opened.require_encoder(FakeEncoder())
    with pytest.raises(IndexMismatch, match="this encoder makes"):
        opened.require_encoder(FakeEncoder("other"))


def test_a_collection_that_there_is_not_is_named(lite):
    with pytest.raises(NoSuchIndex, match="indexer publish"):
        MilvusIndex.open(address_beside(lite, "nowhere"))
