"""A real Milvus server that is killed and comes back under a service: `pytest -m milvus -n 0`.

The server is that of the PyPI package milvus 2.3.5, which unpacks 700 MB: `pip install --no-deps --target FOLDER
milvus==2.3.5`, and FOLDER in PYTHONPATH. It listens on every address, so run it in a network of its own:
`unshare -rn sh -c "ip link set lo up; python -m pytest -m milvus -n 0 tests/service/test_milvus_server.py"`.
"""

import socket
import time

import numpy as np
import pytest

from indexer.common.errors import DatabaseAway
from indexer.confidence.calibration import Calibrations
from indexer.index.tile_index import TileIndex
from indexer.milvus.address import parse_milvus
from indexer.milvus.milvus_index import MilvusIndex
from indexer.milvus.publish import publish_index, search_way
from indexer.milvus.recall import turned_vectors
from indexer.tiles.region import BoxRegion, CircleRegion
from model.common.geo import Bounds
from service.settings import Settings
from tests.service.conftest import serving
from tests.service.test_database import post

pytestmark = [pytest.mark.milvus, pytest.mark.filterwarnings("ignore")]  # its package leaves sockets open


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    milvus = pytest.importorskip("milvus", reason="no Milvus server: see the head of this file")
    one = milvus.MilvusServer()
    one.set_base_dir(str(tmp_path_factory.mktemp("milvus")))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        one.listen_port = free.getsockname()[1]
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def index(index_folder) -> TileIndex:
    return TileIndex.open(index_folder)


def published(server, index, name, kind="FLAT"):
    address = parse_milvus(f"milvus://127.0.0.1:{server.listen_port}/{name}?timeout_s=10")
    way = search_way(kind, index.count * index.anchors)
    return address, publish_index(index, address, way=way, calibrations=Calibrations(), replacing=True)


@pytest.mark.parametrize("kind", ["FLAT", "IVF_FLAT", "HNSW"])
def test_it_answers_as_the_folder(server, index, kind):
    address, made = published(server, index, f"as_{kind.lower()}", kind)
    assert made.recall is None or made.recall > 0.5
    asked = MilvusIndex.open(address, exact=kind == "IVF_FLAT")
    queries = turned_vectors(index, 10)
    west, south, east, north = index.bounds.as_tuple()
    areas = [None, BoxRegion(Bounds(west, south, (west + east) / 2, north)), CircleRegion(index.bounds.centre, 120.0)]
    for area in areas:
        found, wanted = (one.search(queries, top_k=16, region=area) for one in (asked, index))
        for one, other in zip(found, wanted, strict=True):
            assert one.rows.tolist() == other.rows.tolist()
            np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    assert np.array_equal(asked.vector(3), index.vector(3))
    asked.close()


def test_a_version_is_replaced_under_a_reader(server, index):
    address, _ = published(server, index, "living")
    before = MilvusIndex.open(address)
    published(server, index, "living")
    assert len(before.search(turned_vectors(index, 1), top_k=3)[0].rows) == 3
    before.close()


def test_a_server_that_is_killed_is_a_503_and_back_by_itself(server, index):
    address, _ = published(server, index, "killed")
    asked = MilvusIndex.open(address)
    with serving(Settings(index=address, workers=1, max_batch=8)) as client:
        wanted = post(client)
        assert wanted.status_code == 200
        server.server_proc.kill()
        server.server_proc.wait()
        for _ in range(2):
            began = time.monotonic()
            gone = post(client)
            assert gone.status_code == 503, gone.text
            assert gone.json()["type"] == "urn:clnet:problem:database-away"
            assert time.monotonic() - began < 25
        with pytest.raises(DatabaseAway, match="does not answer"):
            asked.search(turned_vectors(index, 1), top_k=1)
        server.config.resolve = lambda: None  # it would take another port while the old one cools down
        server.start()
        deadline = time.monotonic() + 120
        while (back := post(client)).status_code != 200:
            assert back.json()["type"].startswith("urn:clnet:problem:database-")
            assert time.monotonic() < deadline, back.text
            time.sleep(1)
        tiles = [[one["tile_id"] for one in answer.json()["matches"]] for answer in (wanted, back)]
        assert tiles[0] == tiles[1]
    asked.close()
