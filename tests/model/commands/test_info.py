import json

import pytest

from model.__main__ import main
from model.network.checkpoints import save_bundle
from tests.model.tiny import tiny_net


@pytest.fixture
def bundle(tmp_path):
    save_bundle(tmp_path / "bundle", tiny_net(), name="tiny", provenance={}, metrics={})
    return tmp_path / "bundle"


def test_info_prints_what_a_bundle_is(bundle, capsys):
    assert main(["info", "--checkpoint", str(bundle)]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["name"], info["model"]["backbone"], len(info["digest"])) == ("tiny", "test_convnext", 64)
