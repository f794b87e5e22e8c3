"""A folder, served on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.indexer.tiles.sources.remote.serving import Served, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as running:
        yield running


@pytest.fixture
def root(served: Served, tmp_path: Path) -> Path:  # noqa: ARG001 - the server comes first
    return tmp_path / "served"
