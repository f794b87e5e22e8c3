"""The pictures behind an index: any tile by its id, and an overview that copes with what cannot be read."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from service.corpus import Corpus
from tests.fakes import FakeEncoder
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM


@pytest.fixture
def tiles(tile_folder, tmp_path):
    return shutil.copytree(tile_folder, tmp_path / "tiles")


@pytest.fixture
def index(tiles, tmp_path):
    source = open_source(tiles)
    build_index(source, FakeEncoder(), tmp_path / "index")
    source.close()
    opened = TileIndex.open(tmp_path / "index")
    yield opened
    opened.close()


def alpha_of(corpus: Corpus) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(corpus.overview().png)).convert("RGBA"))[..., 3]


def test_a_tile_is_found_by_its_id(index, tiles):
    corpus = Corpus(index)
    name = f"{ZOOM}/{WEST_X + 1}/{NORTH_Y}"
    assert corpus.picture(name).data == (tiles / f"{name}.png").read_bytes()
    assert corpus.picture(f"{ZOOM}/1/1") is None
    assert corpus.picture("no such tile") is None


def test_a_tile_that_cannot_be_read_stays_transparent(index, tiles):
    (tiles / str(ZOOM) / str(WEST_X) / f"{NORTH_Y}.png").write_bytes(b"no picture")
    alpha = alpha_of(Corpus(index))
    assert (alpha[:250, :250] == 0).all()
    assert (alpha[260:, 260:] == 255).all()


def test_of_a_large_corpus_one_tile_stands_for_its_part_without_gaps(index, monkeypatch):
    monkeypatch.setattr("service.corpus._CELLS", 2)
    read = []
    monkeypatch.setattr("service.corpus._read", lambda _, row: read.append(row) or Image.new("RGB", (8, 8), "red"))
    assert (alpha_of(Corpus(index)) == 255).all()
    assert len(read) == 4


def test_it_is_drawn_once_and_is_none_without_pictures(index, tiles):
    corpus = Corpus(index)
    assert corpus.overview() is corpus.overview()
    shutil.rmtree(tiles)
    assert Corpus(index).overview() is None
