"""A build on a real Ray cluster of two nodes here: `pytest -m ray -n 0`. It takes some 2 GB and a minute.

On a machine whose processors are all taken by others, Ray's nodes do not start at all, and every test here fails so.
"""

import os
import time
from pathlib import Path

import hypothesis  # noqa: F401 - its plugin is asked for at the end, when Python 3.11 cannot parse it any more after Ray
import numpy as np
import pytest

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec, make_plan
from indexer.common.errors import ClusterFault
from indexer.distributed.ray_build import build_on_ray
from indexer.distributed.shard_worker import ShardJob
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from model.network.specs import EncoderOptions
from tests.fakes import FakeEncoder
from tests.indexer.tiny import files_of, make_tiles

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # Ray leaves files and sockets open
SPEC = BuildSpec(shard_tiles=5, batch_size=3, workers=1)


class DiesOnce(FakeEncoder):
    """Ends its process with the first tiles that any of its kind sees."""

    def __init__(self, marker: str) -> None:
        super().__init__()
        self._marker = Path(marker)

    def encode_satellite(self, pixels):
        try:
            self._marker.touch(exist_ok=False)
        except FileExistsError:
            return super().encode_satellite(pixels)
        os._exit(9)


class Dies(FakeEncoder):
    """Ends its process whenever it sees tiles."""

    def encode_satellite(self, pixels):
        del pixels
        os._exit(9)


class Loads:
    """Makes an encoder on a worker."""

    def __init__(self, kind, *args) -> None:
        self._kind, self._args = kind, args

    def __call__(self):
        return self._kind(*self._args)


@pytest.fixture(scope="module")
def tiles(tmp_path_factory) -> Path:
    return make_tiles(tmp_path_factory.mktemp("spread") / "tiles", columns=6, rows=4)


def spread(tiles, out, load, address="auto", **options):
    source = open_source(tiles)
    plan = make_plan(source, FakeEncoder(), out, SPEC)
    told = {"options": SourceOptions(), "encoder": EncoderOptions(device="cpu"), "anchors": None}
    job = ShardJob.of(plan, SPEC, source=str(tiles), load=load, **told)
    try:
        return build_on_ray(source, FakeEncoder(), out, address=address, plan=plan, job=job, **options)
    finally:
        source.close()


PATIENT = {
    "RAY_worker_niceness": "0",  # at Ray's own 15 workers wait for whatever else the machine does
    "RAY_agent_register_timeout_ms": "600000",  # after half a minute without its agent a node dies, and nobody is told
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_health_check_timeout_ms": "600000",
    "RAY_raylet_start_wait_time_s": "600",
}
"""What lets a cluster start on a busy machine; read when its nodes are started."""


class SlowClock:
    """The half minute that Ray gives a node to start is too little on a busy machine; here it is ten."""

    def __getattr__(self, name):
        return (lambda: time.monotonic() / 20) if name == "monotonic" else getattr(time, name)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Two nodes of two processors each."""
    ray = pytest.importorskip("ray", reason="no Ray: pip install clnet-geolocalization[ray]")
    from ray.cluster_utils import Cluster

    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(ray._private.node, "time", SlowClock())
    for name, value in PATIENT.items():
        monkeypatch.setenv(name, value)
    one = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    one.add_node(num_cpus=2)
    ray.init(address=one.address, logging_level="ERROR", log_to_driver=False)
    yield one
    ray.shutdown()
    one.shutdown()
    monkeypatch.undo()


def test_two_nodes_make_the_bytes_of_a_plain_build(tiles):
    done = []
    summary = spread(tiles, tiles.parent / "on-ray", FakeEncoder, on_progress=done.append)
    build_index(open_source(tiles), FakeEncoder(), tiles.parent / "plain", spec=SPEC)
    assert files_of(tiles.parent / "on-ray") == files_of(tiles.parent / "plain")
    assert (summary.embedded, summary.resumed, sum(done)) == (24, 0, 24)


def test_a_worker_that_is_killed_is_started_anew(tiles, tmp_path):
    load = Loads(DiesOnce, str(tmp_path / "died"))
    assert spread(tiles, tiles.parent / "with-a-death", load).embedded == 24
    assert (tmp_path / "died").exists()
    one, other = (TileIndex.open(tiles.parent / name) for name in ("with-a-death", "on-ray"))
    assert np.array_equal(one.segments[0].vectors, other.segments[0].vectors)


def test_workers_that_die_again_and_again_end_the_build_and_what_is_done_is_kept(tiles):
    out = tiles.parent / "dying"
    with pytest.raises(ClusterFault, match="the same command goes on"):
        spread(tiles, out, Dies)
    assert not out.exists()
    assert spread(tiles, out, FakeEncoder).embedded == 24


def test_another_encoder_on_the_nodes_ends_the_build(tiles):
    with pytest.raises(ClusterFault, match="on all nodes"):
        spread(tiles, tiles.parent / "other", Loads(FakeEncoder, "other"))


def test_a_node_with_one_processor_is_refused(cluster, tiles):
    small = cluster.add_node(num_cpus=1)
    try:
        with pytest.raises(ClusterFault, match="1 processors"):
            spread(tiles, tiles.parent / "small", FakeEncoder)
    finally:
        cluster.remove_node(small)
