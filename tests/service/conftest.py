"""A real app over a real small index, with an encoder whose vectors reveal the picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from service.app import create_app
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.pictures import mosaic

ZOOM, WEST_X, NORTH_Y, SIDE = 18, 137_200, 91_800, 4
"""The corpus: SIDE x SIDE neighbouring tiles; tile (x, y) shows `mosaic(seed_of(x, y))`."""


def seed_of(x: int, y: int) -> int:
    return (y - NORTH_Y) * SIDE + (x - WEST_X)


@pytest.fixture(scope="session")
def tile_folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("tiles")
    for x in range(WEST_X, WEST_X + SIDE):
        folder = root / str(ZOOM) / str(x)
        folder.mkdir(parents=True)
        for y in range(NORTH_Y, NORTH_Y + SIDE):
            mosaic(seed_of(x, y)).save(folder / f"{y}.png")
    return root


@pytest.fixture(scope="session")
def index_folder(tile_folder, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("served") / "small-index"
    source = open_source(tile_folder)
    build_index(source, FakeEncoder(), out)
    source.close()
    return out


@pytest.fixture
def settings(index_folder) -> Settings:
    return Settings(index=index_folder, workers=1, max_batch=8)


class HookedEncoder(FakeEncoder):
    """Calls `hook(pixels)` before it embeds, but not when the service tries it out at the start."""

    def __init__(self, hook) -> None:
        super().__init__()
        self._hook = hook
        self._tried = False

    def encode_ground(self, pixels):
        if self._tried:
            self._hook(pixels)
        self._tried = True
        return super().encode_ground(pixels)


@contextmanager
def serving(settings: Settings, encoder=None) -> Iterator[TestClient]:
    """A client of a started app that is ready."""
    app: FastAPI = create_app(settings, load_encoder=lambda _: (encoder or FakeEncoder(), False))
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.engine.loaded.wait(timeout=30)
        yield client


@pytest.fixture
def client(settings) -> Iterator[TestClient]:
    with serving(settings) as ready:
        yield ready
