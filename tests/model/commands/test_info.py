"""`info`: a bundle as JSON."""

import json

from model.__main__ import main


def test_info_prints_what_a_bundle_is(bundle, capsys):
    assert main(["info", "--checkpoint", str(bundle)]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["name"], info["model"]["backbone"], len(info["digest"])) == ("tiny", "test_convnext", 64)
