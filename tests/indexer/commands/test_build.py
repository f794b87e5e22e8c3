"""`build`: what it prints, and what it refuses."""

from pathlib import Path

import pytest

from tests.indexer.commands.running import run
from tests.indexer.tiny import LEFT, TOP, encoded, make_tiles

Captured = pytest.CaptureFixture[str]


def test_build_prints_a_summary(built: Path, tmp_path: Path, capsys: Captured) -> None:
    make_tiles(tmp_path / "tiles", 2, 2)
    (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP}.png").write_bytes(b"text")
    command = ["--tiles", tmp_path / "tiles", "--out", tmp_path / "index"]
    assert run(built, "build", *command) == 1
    assert "1 of 4 tiles (25%) could not be read" in capsys.readouterr().err
    assert run(built, "build", *command, "--max-failed", "0.25") == 0
    printed = capsys.readouterr()
    assert "4 tiles from" in printed.out
    assert "3 embedded, 0 skipped, 1 failed" in printed.out
    assert "(4 taken over from an unfinished build)" in printed.out
    assert f"failed 15/{LEFT}/{TOP}: " in printed.out
    assert printed.err == ""  # a line comes every few seconds


def test_a_dry_run_prints_the_plan_and_writes_nothing(built: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["--tiles", built / "tiles", "--out", tmp_path / "index", "--dry-run"]
    assert run(built, "build", *arguments) == 0
    printed = capsys.readouterr().out
    for part in ("12 tiles", "kB", "minutes", "tiles/s", "bounds"):
        assert part in printed
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists_ends_with_one_at_once(built: Path, capsys: Captured) -> None:
    assert run(built, "build", "--tiles", built / "tiles", "--out", built / "index") == 1
    assert "exists already" in capsys.readouterr().err


def test_sources_that_are_none_end_with_one(built: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk" / "15" / "3").mkdir(parents=True)
    (tmp_path / "junk" / "15" / "3" / "4.png").write_bytes(encoded(0)[:40])
    for name, message in {"missing": "does not exist", "empty": "holds no .png", "junk": "none of 1 tiles"}.items():
        assert run(built, "build", "--tiles", tmp_path / name, "--out", tmp_path / "index", "--quiet") == 1
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "junk"]


def test_parts_are_built_side_by_side_and_merged(built: Path, tmp_path: Path, capsys: Captured) -> None:
    for part in (1, 2):
        command = ["--tiles", built / "tiles", "--out", tmp_path / f"part-{part}", "--shard", f"{part}/2", "--quiet"]
        assert run(built, "build", *command) == 0
    assert run(built, "merge", tmp_path / "part-1", tmp_path / "part-2", "--out", tmp_path / "whole") == 0
    assert "holds 12 tiles" in capsys.readouterr().out
    for wrong in ("3/2", "0/2", "half"):
        assert run(built, "build", "--tiles", built / "tiles", "--out", tmp_path / "x", "--shard", wrong) == 2
        assert "is no part; give such as 1/8" in capsys.readouterr().err
