"""Two real processes, started by torchrun, make the bytes of a plain build."""

import json

import pytest

from indexer.__main__ import main
from indexer.building.specs import BuildSpec
from indexer.distributed.torchrun_build import shared_spec, started_with_others
from indexer.tiles.sources.open_source import open_source
from tests.indexer.tiny import files_of, make_tiles
from tests.torchrun import torchrun

pytest.importorskip("torch", reason="no torch: pip install 'clnet-geolocalization[train]'")
SCRIPT = """
import sys
from pathlib import Path
from indexer.building.plan import BuildSpec, make_plan
from indexer.distributed.shard_worker import ShardJob
from indexer.distributed.torchrun_build import build_with_others
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from model.network.specs import EncoderOptions
from model.training.distributed import joined_processes
from tests.fakes import FakeEncoder

tiles, out, breaks = sys.argv[1:]
SPEC = BuildSpec(shard_tiles=5, batch_size=3, workers=1)


class Breaks(FakeEncoder):
    def encode_satellite(self, pixels):
        raise OSError("no memory on this device")


with joined_processes("cpu") as (processes, _):
    encoder = Breaks() if breaks == str(processes.rank) else FakeEncoder()
    source = open_source(tiles)
    plan = make_plan(source, encoder, Path(out), SPEC)
    job = ShardJob.of(
        plan, SPEC, source=tiles, options=SourceOptions(), encoder=EncoderOptions(device="cpu"), anchors=None
    )
    done = []
    summary = build_with_others(
        source, encoder, out, processes=processes, plan=plan, job=job, on_progress=done.append
    )
    assert (summary is None) == (processes.rank == 1)
    if summary:
        print("embedded", summary.embedded, "resumed", summary.resumed)
"""


def test_two_processes_make_the_index_of_one_and_go_on_after_a_failure(tmp_path):
    from indexer.building.build import build_index
    from tests.fakes import FakeEncoder

    tiles = make_tiles(tmp_path / "tiles", columns=6, rows=4)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    failed = torchrun(script, tiles, tmp_path / "shared", "1")
    assert failed.returncode == 1
    assert "shard 1 failed in process 1" in failed.stderr
    assert "no memory on this device" in failed.stderr
    assert not (tmp_path / "shared").exists()
    done = torchrun(script, tiles, tmp_path / "shared", "none")
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert (int(words[1]), int(words[3]) in range(25)) == (24, True)
    build_index(
        open_source(tiles), FakeEncoder(), tmp_path / "plain", spec=BuildSpec(shard_tiles=5, batch_size=3, workers=1)
    )
    assert files_of(tmp_path / "shared") == files_of(tmp_path / "plain")


def test_the_command_needs_nothing_else(tmp_path):
    tiles = make_tiles(tmp_path / "tiles", columns=3, rows=2)
    words = ["build", "--tiles", str(tiles), "--device", "cpu", "--engine", "torch", "--anchors", "1", "--quiet"]
    done = torchrun("-m", "indexer", *words, "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("6 tiles from") == 1
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    assert files_of(tmp_path / "two") == files_of(tmp_path / "one")
    again = torchrun("-m", "indexer", *words, "--out", tmp_path / "two")
    assert again.returncode == 1
    assert "exists already" in again.stderr


def test_processes_of_a_machine_share_its_processors(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert not started_with_others()
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1000")
    assert started_with_others()
    assert shared_spec(BuildSpec()).workers == 1
    assert shared_spec(BuildSpec(workers=3)).workers == 3


def test_a_cluster_is_not_started_by_torchrun(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    tiles = make_tiles(tmp_path / "tiles", columns=1, rows=1)
    assert main(["build", "--tiles", str(tiles), "--out", str(tmp_path / "index"), "--ray", "local"]) == 1
    assert "exclude each other" in capsys.readouterr().err
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == '["tiles"]'
