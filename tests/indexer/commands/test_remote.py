"""Addresses on the command line: refused, allowed, named, updated."""

from pathlib import Path

import pytest

from tests.indexer.commands.running import run
from tests.indexer.tiles.sources.remote.serving import serving
from tests.indexer.tiny import LEFT, TOP, ZOOM, encoded, make_tiles

Captured = pytest.CaptureFixture[str]


def test_an_index_of_fetched_tiles_lives(built: Path, tmp_path: Path, capsys: Captured) -> None:
    tiles = make_tiles(tmp_path / "served", 2, 2)
    with serving(tiles) as served:
        address = f"{served.url}/{{z}}/{{x}}/{{y}}.png"
        where = ["--zoom", str(ZOOM), "--bbox", "6.768,50.779,6.789,50.791"]
        command = ["--tiles", address, "--out", tmp_path / "index", *where]
        assert run(built, "build", *command, "--quiet") == 1
        assert "add --remote" in capsys.readouterr().err
        assert served.asked == []
        allowed = ["--remote", "--rate-limit", "500", "--cache", tmp_path / "cache", "--quiet"]
        assert run(built, "build", *command, *allowed) == 1
        assert "say whose with --attribution" in capsys.readouterr().err
        assert run(built, "build", *command, *allowed, "--attribution", "© tests") == 0
        assert "4 embedded" in capsys.readouterr().out
        assert run(built, "info", "--index", tmp_path / "index") == 0
        said = capsys.readouterr().out
        assert f"of {address} (template), which belong to © tests" in said
        (tiles / str(ZOOM) / str(LEFT) / f"{TOP}.png").write_bytes(encoded(70))
        assert run(built, "update", "--index", tmp_path / "index", "--quiet") == 1
        assert "add --remote" in capsys.readouterr().err
        assert run(built, "update", "--index", tmp_path / "index", "--tiles", address, *allowed) == 0
        assert "1 changed" in capsys.readouterr().out
