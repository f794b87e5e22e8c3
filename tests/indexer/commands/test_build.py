"""`build`: what it prints, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from indexer.index.tile_index import TileIndex
from indexer.tiles.region import CircleRegion
from model.common.geo import LatLon
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
    assert "; the slowest is " in printed.out
    assert f"failed 15/{LEFT}/{TOP}: " in printed.out
    assert printed.err == ""  # a line comes every few seconds


def test_a_dry_run_prints_the_plan_and_writes_nothing(built: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["--tiles", built / "tiles", "--out", tmp_path / "index", "--dry-run"]
    assert run(built, "build", *arguments) == 0
    printed = capsys.readouterr().out
    for part in ("12 tiles", "kB", "minutes", "tiles/s", "bounds", "on disk while it is built", "free", "of memory"):
        assert part in printed
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists_ends_with_one_at_once(built: Path, capsys: Captured) -> None:
    assert run(built, "build", "--tiles", built / "tiles", "--out", built / "index") == 1
    assert "exists already" in capsys.readouterr().err


def test_sources_that_are_none_end_with_one(built: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk" / "15" / "3").mkdir(parents=True)
    (tmp_path / "junk" / "15" / "3" / "4.png").write_bytes(encoded(0)[:40])
    for name, message in {
        "missing": "does not exist",
        "empty": "holds no .png",
        "junk": "none of 1 tile could",
    }.items():
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


def test_several_zooms_are_one_index_whose_answers_name_theirs(built: Path, tmp_path: Path, capsys: Captured) -> None:
    tiles = make_tiles(tmp_path / "tiles", 2, 2)
    make_tiles(tiles, 1, 2, 14, left=LEFT // 2, top=TOP // 2)
    make_tiles(tiles, 1, 1, 13, left=LEFT // 4, top=TOP // 4)
    command = ["--tiles", tiles, "--out", tmp_path / "index", "--quiet"]
    assert run(built, "build", *command, "--zoom", "14,15") == 0
    assert "zooms 14, 15 are indexed (as asked)" in capsys.readouterr().out
    index = TileIndex.open(tmp_path / "index")
    assert (index.count, index.zooms) == (6, [14, 15])
    query = index.vector(index.row_of(15, LEFT, TOP) or 0).astype(np.float32)
    (found,) = index.search(query, top_k=2)
    assert {index.tile(row).z for row in found.rows.tolist()} == {14, 15}  # both show picture 0
    tile = index.tile(int(found.rows[0]))
    (near,) = index.search(query, top_k=6, region=CircleRegion(LatLon(tile.lat, tile.lon), 1.0))
    assert {index.tile(row).z for row in near.rows.tolist()} == {14, 15}  # each zoom has one there
    assert index.row_of(14, LEFT // 2, TOP // 2) != index.row_of(15, LEFT, TOP)
    index.close()
    assert run(built, "info", "--index", tmp_path / "index") == 0
    assert "14, 15" in capsys.readouterr().out
    assert run(built, "update", "--index", tmp_path / "index") == 0
    assert "holds 6 tiles" in capsys.readouterr().out


def test_zooms_that_are_none_or_not_there_are_refused(built: Path, tmp_path: Path, capsys: Captured) -> None:
    command = ["--tiles", built / "tiles", "--out", tmp_path / "index", "--zoom"]
    assert run(built, "build", *command, "14,15") == 1
    assert "holds no tile of zoom 14" in capsys.readouterr().err
    for wrong, message in {"15,15": "give each zoom once", "15,99": "give 0 to 29", "all": "is no zoom"}.items():
        assert run(built, "build", *command, wrong) == 2
        assert message in capsys.readouterr().err
