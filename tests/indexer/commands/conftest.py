"""An index of a few tiles, and what it was made from."""

from pathlib import Path

import pytest

from tests.indexer.bundles import write_bundle
from tests.indexer.commands.running import run
from tests.indexer.tiny import make_tiles, picture


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `tiles`, `index`, `bundle` and `photo.png`."""
    root = tmp_path_factory.mktemp("commands")
    write_bundle(root / "bundle")
    make_tiles(root / "tiles")
    picture(0, 200).save(root / "photo.png")
    assert run(root, "build", "--tiles", root / "tiles", "--out", root / "index", "--quiet") == 0
    return root
