"""The overview shows every tile where it lies, says where it lies itself, and copes with what cannot be read."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from service.overview import Overviews, draw_overview
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import NORTH_Y, SIDE, WEST_X, ZOOM, seed_of, serving
from tests.service.pictures import mosaic


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


@pytest.fixture
def index(index_folder):
    with_tiles = TileIndex.open(index_folder)
    yield with_tiles
    with_tiles.close()


def test_each_tile_lies_at_its_place(index):
    pixels = pixels_of(draw_overview(index, max_side_px=SIDE * 48)).astype(int)
    assert pixels.shape == (SIDE * 48, SIDE * 48, 4)
    for x, y in ((0, 0), (3, 0), (1, 2), (3, 3)):
        shown = pixels[y * 48 : (y + 1) * 48, x * 48 : (x + 1) * 48, :3]
        expected = np.asarray(mosaic(seed_of(WEST_X + x, NORTH_Y + y))).astype(int)
        assert np.abs(shown - expected).mean() < 12  # a palette of 255 colours
    assert (pixels[..., 3] == 255).all()


def test_a_tile_that_is_gone_stays_transparent(tile_folder, tmp_path):
    tiles = shutil.copytree(tile_folder, tmp_path / "tiles")
    source = open_source(tiles)
    build_index(source, FakeEncoder(), tmp_path / "index")
    source.close()
    (tiles / str(ZOOM) / str(WEST_X) / f"{NORTH_Y}.png").write_bytes(b"no picture")
    index = TileIndex.open(tmp_path / "index")
    alpha = pixels_of(draw_overview(index, max_side_px=64))[..., 3]
    index.close()
    assert (alpha[:16, :16] == 0).all()
    assert (alpha[16:, 16:] == 255).all()


def test_a_large_corpus_is_sampled_without_gaps(index, monkeypatch):
    monkeypatch.setattr("service.overview._MOST_PICTURES", 4)
    pixels = pixels_of(draw_overview(index, max_side_px=64))
    assert (pixels[..., 3] == 255).mean() > 0.75


def test_it_is_drawn_once(index):
    overviews = Overviews()
    assert overviews.of(index) is overviews.of(index)


def test_it_is_served_with_its_bounds_and_not_sent_twice(client):
    info = client.get("/info").json()["overview"]
    answer = client.get(info["url"])
    assert answer.headers["content-type"] == "image/png"
    assert [float(edge) for edge in answer.headers["x-bounds"].split(",")] == pytest.approx(info["bounds"], abs=1e-6)
    assert client.get(info["url"], headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_without_pictures_there_is_none(tile_folder, tmp_path):
    tiles = shutil.copytree(tile_folder, tmp_path / "tiles")
    source = open_source(tiles)
    build_index(source, FakeEncoder(), tmp_path / "index")
    source.close()
    shutil.rmtree(tiles)
    with serving(Settings(index=tmp_path / "index", workers=1)) as client:
        assert client.get("/info").json()["overview"] is None
        assert client.get("/v1/overview.png").json()["type"] == "urn:clnet:problem:no-such-tile"
