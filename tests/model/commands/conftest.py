"""A bundle and a manifest of tiny pairs."""

import pytest

from model.network.checkpoints import save_bundle
from tests.model.tiny import tiny_net, write_pairs


@pytest.fixture
def bundle(tmp_path):
    save_bundle(tmp_path / "bundle", tiny_net(), name="tiny", provenance={}, metrics={})
    return tmp_path / "bundle"


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "data").mkdir()
    return write_pairs(tmp_path / "data")
