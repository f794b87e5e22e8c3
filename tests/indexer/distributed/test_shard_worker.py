"""Shards that somebody else embedded: a plain build takes them over, and its result has the same bytes."""

from dataclasses import replace

import pytest

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec, make_plan
from indexer.building.shards import open_work
from indexer.distributed.shard_worker import ShardJob, ShardWorker, forget_tries, shards_left
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from model.common.errors import BadCheckpoint, OutputExists
from model.network.specs import EncoderOptions
from tests.fakes import FakeEncoder
from tests.indexer.tiny import files_of, make_tiles

SPEC = BuildSpec(shard_tiles=5, batch_size=3)


def planned(root, out, load=FakeEncoder):
    """A source of 24 tiles, a plan of five shards, and the job of it."""
    tiles = root / "tiles"
    source = open_source(tiles if tiles.exists() else make_tiles(tiles, columns=6, rows=4))
    plan = make_plan(source, FakeEncoder(), out, SPEC)
    job = ShardJob.of(
        plan,
        SPEC,
        source=str(root / "tiles"),
        options=SourceOptions(),
        encoder=EncoderOptions(),
        anchors=None,
        load=load,
    )
    return source, plan, job


def test_shards_of_two_workers_make_the_index_of_a_plain_build(tmp_path):
    (tmp_path / "plain").mkdir()
    source, plan, job = planned(tmp_path, tmp_path / "shared")
    build_index(source, FakeEncoder(), tmp_path / "index", spec=SPEC)
    with open_work(tmp_path / "shared", plan.identity, restart=False) as work:
        job = replace(job, work=work.path)
        assert shards_left(job) == [0, 1, 2, 3, 4]
        workers = [ShardWorker(job), ShardWorker(job)]
        for number in (4, 1, 0, 3):
            shard = workers[number % 2].embed(number)
            assert (shard.number, shard.tiles, shard.error) == (number, 4 if number == 4 else 5, "")
        assert shards_left(job) == [2]
        for worker in workers:
            worker.close()
    summary = build_index(source, FakeEncoder(), tmp_path / "shared", spec=SPEC, plan=plan)
    assert (summary.embedded, summary.resumed) == (24, 19)
    assert files_of(tmp_path / "shared") == files_of(tmp_path / "index")


def test_a_tile_that_has_changed_since_is_embedded_again(tmp_path):
    _, plan, job = planned(tmp_path, tmp_path / "index")
    with open_work(tmp_path / "index", plan.identity, restart=False) as work:
        job = replace(job, work=work.path)
        worker = ShardWorker(job)
        worker.embed(0)
        worker.close()
        changed = replace(job, tiles=replace(job.tiles, stamp=job.tiles.stamp + 1))
        assert shards_left(job) == [1, 2, 3, 4]
        assert shards_left(changed) == [0, 1, 2, 3, 4]


def test_what_goes_wrong_with_tiles_is_told(tmp_path):
    class Broken(FakeEncoder):
        """Its vectors are not finite."""

        def encode_satellite(self, pixels):
            return super().encode_satellite(pixels) * float("nan")

    _, plan, job = planned(tmp_path, tmp_path / "index", load=Broken)
    with open_work(tmp_path / "index", plan.identity, restart=False) as work:
        worker = ShardWorker(replace(job, work=work.path))
        assert "unit" in worker.embed(0).error
        worker.close()


def test_a_disk_that_is_not_shared_is_named(tmp_path):
    _, _, job = planned(tmp_path, tmp_path / "index")
    with pytest.raises(OutputExists, match="all nodes share"):
        ShardWorker(replace(job, work=tmp_path / "elsewhere"))


def test_another_encoder_on_a_node_is_refused(tmp_path):
    _, _, job = planned(tmp_path, tmp_path / "index", load=lambda: FakeEncoder("other"))
    with pytest.raises(BadCheckpoint, match="on all nodes"):
        ShardWorker(replace(job, work=tmp_path))


def test_a_shard_that_ends_every_worker_is_given_up(tmp_path):
    _, plan, job = planned(tmp_path, tmp_path / "index")
    with open_work(tmp_path / "index", plan.identity, restart=False) as work:
        worker = ShardWorker(replace(job, work=work.path))
        tries = work.path / "tries-000001"
        tries.write_bytes(b"..")  # what two workers leave that were killed over it
        assert worker.embed(1).error == ""
        assert not tries.exists()
        tries.write_bytes(b"...")
        assert "3 workers have ended over it" in worker.embed(1).error
        forget_tries(work.path)
        assert worker.embed(1).error == ""
        worker.close()
