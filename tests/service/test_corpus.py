import pytest

from indexer.index.tile_index import TileIndex
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds
from service.corpus import Corpus, tile_url
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM


@pytest.fixture
def corpus(index_folder):
    index = TileIndex.open(index_folder)
    yield Corpus(index)
    index.close()


def test_every_tile_is_found_by_its_id(corpus):
    rows = {corpus.row_of(f"{ZOOM}/{WEST_X + x}/{NORTH_Y + y}") for x in range(4) for y in range(4)}
    assert rows == set(range(16))


@pytest.mark.parametrize("name", ["", "18/1/1", "99/1/1", f"0{ZOOM}/{WEST_X}/{NORTH_Y}", "18/137200", "x" * 5000])
def test_other_ids_are_no_tiles(corpus, name):
    assert corpus.row_of(name) is None
    assert corpus.picture(name) is None


def test_overview_is_drawn_once(corpus):
    assert corpus.overview() is corpus.overview()


def test_address_of_a_tile_off_the_grid_is_quoted():
    tile = TileRecord("a tile/né.png", None, None, None, 0.0, 0.0, Bounds(0, 0, 1, 1), "a")
    assert tile_url(tile, "/geo") == "/geo/v1/tile/a%20tile/n%C3%A9.png"
