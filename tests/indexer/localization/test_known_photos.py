"""Photos of known place asked of an index: each once, with the truth beside it, and the doubtful left out by name."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from indexer.common.errors import BadPhotos
from indexer.confidence.calibration import Conditions
from indexer.index.tile_index import TileIndex
from indexer.localization.known_photos import conditions_of, photos_with_places, search_known_photos
from indexer.localization.localizer import Localizer
from model.data.manifest import read_manifest
from model.data.pairs import PairSet, Query
from model.evaluation.protocol import QueryProtocol
from tests.fakes import FakeEncoder
from tests.indexer.photos import write_photos
from tests.indexer.tiny import build_tiny


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    return build_tiny(tmp_path_factory.mktemp("known"))


@pytest.fixture(scope="module")
def pairs(index: TileIndex, tmp_path_factory: pytest.TempPathFactory) -> PairSet:
    return read_manifest(write_photos(tmp_path_factory.mktemp("photos") / "known", index, count=9))


def search(index: TileIndex, queries: list[Query], protocol: QueryProtocol = QueryProtocol()):  # noqa: B008
    done: list[int] = []
    localizer = Localizer(FakeEncoder(), index, headings=protocol.headings)
    found = search_known_photos(localizer, queries, names=["x"], protocol=protocol, on_progress=done.append)
    assert sum(done) == len(queries)
    return found


def test_a_photo_that_is_listed_twice_is_asked_once(pairs):
    assert len(photos_with_places([pairs, pairs])) == 9


def test_a_photo_without_a_place_is_named(pairs):
    lost = replace(pairs, queries=(replace(pairs.queries[0], location=None), *pairs.queries[1:]))
    with pytest.raises(BadPhotos, match=r"1 of 9 photos have no lat, lon, 0.png for one"):
        photos_with_places([lost])


def test_each_photo_has_its_tiles_its_place_and_whether_a_tile_lies_there(index, pairs):
    found = search(index, photos_with_places([pairs]))
    assert [photo.inside for photo in found.photos] == [number % 3 > 0 for number in range(9)]
    assert [photo.place for photo in found.photos] == [query.location for query in pairs.queries]
    for photo in found.photos:
        assert len(photo.candidates.scores) == index.count
        assert (photo.candidates.scores[:-1] >= photo.candidates.scores[1:]).all()
    assert (found.about.count, found.left_out) == (9, ())
    assert found.conditions == Conditions((360.0, 360.0))


def test_a_photo_that_shows_nothing_is_left_out_by_name(index, pairs, tmp_path: Path):
    Image.new("RGB", (48, 48), (250, 250, 250)).save(tmp_path / "blank.png")
    queries = photos_with_places([pairs])
    blank = replace(queries[0], path=tmp_path / "blank.png")
    found = search(index, [blank, *queries[1:]])
    assert len(found.photos) == found.about.count == 8
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith("blank.png: ")
    with pytest.raises(BadPhotos, match=r"all 1 photos are left out, blank.png"):
        search(index, [blank])


def test_the_conditions_are_those_of_the_photos_and_of_what_is_hidden_of_them(pairs):
    wide, narrow = pairs.queries[0], replace(pairs.queries[1], fov_deg=70.0)
    assert conditions_of([wide, narrow], QueryProtocol()) == Conditions((70.0, 360.0))
    assert conditions_of([wide, narrow], QueryProtocol(fov_deg=90.0)) == Conditions((70.0, 90.0))
    asked = conditions_of([wide], QueryProtocol(heading="unknown", headings=8))
    assert asked == Conditions((360.0, 360.0), headings=8)
