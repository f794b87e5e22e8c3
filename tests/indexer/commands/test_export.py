"""`export`: one file for other programs."""

import json
from pathlib import Path

import pytest

from tests.indexer.commands.running import run


def test_footprints_are_written_once(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--index", built / "index", "--form", "geojson", "--out", tmp_path / "tiles.json"]
    assert run(built, "export", *command) == 0
    assert "12 tiles as geojson" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "tiles.json").read_bytes())["features"]) == 12
    assert run(built, "export", *command) == 1
    assert "exists already" in capsys.readouterr().err
    assert run(built, "export", *command[:-1], tmp_path / "new.json", "--since", "2026-01-01") == 1
    assert "has no imagery since 2026-01-01; it has imagery of no date" in capsys.readouterr().err
