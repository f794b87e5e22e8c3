"""The commands that change an index, one after another, as a user would type them."""

import json
from pathlib import Path

import pytest

from tests.indexer.commands.running import run
from tests.indexer.lifecycle.living import content, name_of, put_tile
from tests.indexer.tiny import make_tiles

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    make_tiles(tmp_path / "tiles", 3, 2)
    assert run(built, "build", "--tiles", tmp_path / "tiles", "--out", tmp_path / "index", "--quiet") == 0
    return tmp_path / "index"


def test_an_index_lives(built: Path, index: Path, tmp_path: Path, capsys: Captured) -> None:
    put_tile(tmp_path / "more", 8, 0, 60)
    common = ["--index", index]
    assert run(built, "add", *common, "--tiles", tmp_path / "more", "--dry-run") == 0
    assert "1 new tile in" in capsys.readouterr().out
    assert run(built, "add", *common, "--tiles", tmp_path / "more", "--date", "2026-06-01", "--quiet") == 0
    assert "holds 7 tiles in 2 segments" in capsys.readouterr().out
    put_tile(tmp_path / "tiles", 0, 0, 90)
    assert run(built, "update", *common, "--dry-run") == 0
    assert "0 new, 1 changed, 0 gone, 5 the same" in capsys.readouterr().out
    assert run(built, "update", *common, "--quiet") == 0
    assert "1 embedded" in capsys.readouterr().out
    (tmp_path / "names.txt").write_text(f"{name_of(1, 0)}\n\n")
    assert run(built, "remove", *common, "--ids", name_of(1, 1), "--ids-from", tmp_path / "names.txt") == 0
    assert "2 tiles removed" in capsys.readouterr().out
    assert run(built, "info", *common) == 0
    printed = capsys.readouterr().out
    assert "5 of " in printed
    assert "imagery of 2026-06-01" in printed
    assert "3 removed or replaced" in printed
    before = content(index)
    assert run(built, "compact", *common) == 0
    assert "holds 5 tiles in 2 segments" in capsys.readouterr().out
    assert content(index) == before
    assert run(built, "verify", *common) == 0
    assert "5 tiles embedded again" in capsys.readouterr().out
    assert run(built, "split", *common, "--bbox", "-180,-90,180,90", "--out", tmp_path / "part") == 0
    assert "5 of 5 tiles" in capsys.readouterr().out
    assert run(built, "merge", index, built / "index", "--out", tmp_path / "both") == 0
    assert "4 tiles of" in capsys.readouterr().out
    assert run(built, "info", "--index", tmp_path / "both", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["segments"]) == 2


def test_what_fails_ends_with_one(built: Path, index: Path, tmp_path: Path, capsys: Captured) -> None:
    zoomed = tmp_path / "zoomed"
    put_tile(tmp_path / "finer", 0, 0, 50, zoom=17)
    assert run(built, "build", "--tiles", tmp_path / "finer", "--out", zoomed, "--quiet") == 0
    commands = [
        (["add", "--index", index, "--tiles", tmp_path / "tiles", "--quiet"], "already"),
        (["add", "--index", tmp_path, "--tiles", tmp_path / "tiles"], "is no index"),
        (["remove", "--index", index, "--ids", "x"], "has no tile x"),
        (["remove", "--index", index, "--bbox", "-180,-90,180,90"], "would be left"),
        (["remove", "--index", index, "--area", tmp_path / "none.json"], "none.json"),
        (["merge", index, index, "--out", tmp_path / "out"], "each named once"),
        (["merge", index, built / "index", "--out", built], "exists already"),
        (["merge", index, zoomed, "--out", tmp_path / "out"], "add --other-size if several sizes are wanted"),
        (["update", "--index", index, "--tiles", tmp_path / "none"], "nothing in"),
    ]
    for command, message in commands:
        assert run(built, *command) == 1, command
        assert message in capsys.readouterr().err
    assert run(built, "merge", index, zoomed, "--out", tmp_path / "out", "--other-size") == 0
    assert "holds 7 tiles" in capsys.readouterr().out
    assert run(built, "compact", "--index", index) == 0
    assert "nothing was done" in capsys.readouterr().out


def test_lists_are_planned_by_the_flags_of_the_build_until_compact_has_others(
    built: Path, tmp_path: Path, capsys: Captured
) -> None:
    common = ["--index", tmp_path / "index"]
    flags = ["--latency-ms", "0", "--target-recall", "0.5", "--memory", "1MB"]
    assert run(built, "build", "--tiles", built / "tiles", "--out", tmp_path / "index", "--quiet", *flags) == 0
    for number, more in enumerate([[], ["--latency-ms", "1e9"]]):
        assert run(built, "remove", *common, "--ids", name_of(number, 0)) == 0
        assert run(built, "compact", *common, *more) == 0
        capsys.readouterr()
        assert run(built, "info", *common) == 0
        said = capsys.readouterr().out
        assert ("search     exact" in said) == bool(more)
        latency = "1000000000" if more else "0"
        assert f"built with --latency-ms {latency} --memory 1000000 --target-recall 0.5" in said
