"""`info`: an index in words and as JSON."""

import json
from pathlib import Path

import pytest

from tests.indexer.commands.running import run

Captured = pytest.CaptureFixture[str]


def test_info_says_what_there_is(built: Path, capsys: Captured) -> None:
    assert run(built, "info", "--index", built / "index") == 0
    printed = capsys.readouterr().out
    assert "12 of 772.41 x 772.41 m" in printed
    assert "bundle" in printed
    assert run(built, "info", "--json", "--index", built / "index") == 0
    assert json.loads(capsys.readouterr().out)["count"] == 12
