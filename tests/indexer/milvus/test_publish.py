import pytest

from indexer.common.errors import BadQuery, DatabaseFault, NoSuchIndex
from indexer.confidence.calibration import Calibrations
from indexer.index.tile_index import TileIndex
from indexer.milvus import publish
from indexer.milvus.connection import Connection
from indexer.milvus.milvus_index import MilvusIndex
from indexer.milvus.publish import publish_index, search_way
from indexer.milvus.recall import turned_vectors
from indexer.tiles.region import BoxRegion
from model.common.errors import OutputExists
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.milvus.conftest import address_beside
from tests.indexer.milvus.test_milvus_index import box_of, same
from tests.indexer.tiny import build_tiny, vector_of


def put(index, address, kind="FLAT", **options):
    way = search_way(kind, index.count * index.anchors)
    return publish_index(index, address, way=way, calibrations=Calibrations(), **options)


def names(lite):
    connection = Connection(lite)
    try:
        return set(connection.call("list_collections"))
    finally:
        connection.close()


@pytest.fixture(scope="module")
def anchored(tmp_path_factory) -> TileIndex:
    inputs = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=3)
    return build_tiny(tmp_path_factory.mktemp("anchored"), columns=5, encoder=FakeEncoder(inputs=inputs))


def test_several_vectors_a_tile_are_answered_as_tiles(lite, anchored):
    address = address_beside(lite, "anchored")
    made = put(anchored, address)
    assert (made.count, made.vectors) == (15, 135)
    index = MilvusIndex.open(address)
    queries = turned_vectors(anchored, 15)
    for top_k in (1, 4, 15):
        same(index.search(queries, top_k=top_k), anchored.search(queries, top_k=top_k))
    region = BoxRegion(box_of(anchored))
    same(index.search(queries, top_k=4, region=region), anchored.search(queries, top_k=4, region=region))
    assert index.point(2, 5) == anchored.point(2, 5)
    index.close()


def test_what_is_there_is_replaced_only_when_asked_for_and_readers_keep_theirs(lite, folder_index, tmp_path):
    address = address_beside(lite, "living")
    put(folder_index, address)
    before = MilvusIndex.open(address)
    with pytest.raises(OutputExists, match="30 tiles of index index"):
        put(folder_index, address)
    smaller = build_tiny(tmp_path)
    assert put(smaller, address, replacing=True).dropped == 0
    after = MilvusIndex.open(address)
    assert (before.count, after.count) == (30, 12)
    assert len(before.search(vector_of(0), top_k=30)[0].rows) == 30
    assert len(after.search(vector_of(0), top_k=30)[0].rows) == 12
    assert put(folder_index, address, replacing=True).dropped == 1
    assert len(after.search(vector_of(0), top_k=30)[0].rows) == 12  # the version before is kept
    with pytest.raises(DatabaseFault, match="cannot do that"):
        before.search(vector_of(0), top_k=1)
    before.close()
    after.close()


def test_a_publishing_that_fails_leaves_what_was_there(lite, folder_index, tmp_path, monkeypatch):
    address = address_beside(lite, "kept")
    put(folder_index, address)
    there = names(lite)
    monkeypatch.setattr(publish, "_require_all", lambda *_: (_ for _ in ()).throw(DatabaseFault("too few")))
    with pytest.raises(DatabaseFault, match="too few"):
        put(build_tiny(tmp_path), address, replacing=True)
    assert names(lite) == there
    index = MilvusIndex.open(address)
    assert index.count == 30
    index.close()


def test_a_publishing_that_was_killed_is_no_index_and_goes_with_the_next(lite, folder_index, monkeypatch):
    address = address_beside(lite, "killed")

    class Killed(BaseException):
        """As kill -9 is not caught, neither is what tidies up called."""

    call = Connection.call

    def dies(self, method, *args, **options):
        if method in ("alter_collection_properties", "drop_collection"):
            raise Killed
        return call(self, method, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "call", dies)
        with pytest.raises(Killed):
            put(folder_index, address)
    with pytest.raises(NoSuchIndex):
        MilvusIndex.open(address)
    assert put(folder_index, address).dropped == 1
    assert sum(name.startswith("killed_") for name in names(lite)) == 1


def test_a_collection_of_others_is_left_alone(lite, folder_index):
    connection = Connection(lite)
    connection.call("create_collection", "theirs", dimension=4)
    with pytest.raises(OutputExists, match="something else"):
        put(folder_index, address_beside(lite, "theirs"), replacing=True)
    with pytest.raises(NoSuchIndex, match="something else"):
        MilvusIndex.open(address_beside(lite, "theirs"))
    connection.close()


@pytest.mark.parametrize("kind", ["IVF_FLAT", "HNSW"])
def test_lists_and_graphs_say_how_much_they_find(lite, folder_index, kind):
    address = address_beside(lite, f"by_{kind.lower()}")
    made = put(folder_index, address, kind)
    assert made.recall is not None
    assert 0.5 < made.recall <= 1.0
    index = MilvusIndex.open(address)
    assert index.card.recall == made.recall
    assert not index.search(vector_of(0), top_k=3)[0].exact or kind == "IVF_FLAT"
    index.close()
    if kind == "HNSW":
        with pytest.raises(BadQuery, match="leave --exact out"):
            MilvusIndex.open(address, exact=True)
    else:
        whole = MilvusIndex.open(address, exact=True)
        queries = turned_vectors(folder_index, 10)
        same(whole.search(queries, top_k=5), folder_index.search(queries, top_k=5))
        assert whole.search(queries, top_k=5)[0].exact
        whole.close()


def test_lists_are_as_many_as_there_is_to_put_in_them():
    assert search_way("IVF_FLAT", 30).build == {"nlist": 1}
    assert search_way("IVF_FLAT", 1_000_000).build == {"nlist": 4000}
    assert search_way("IVF_FLAT", 1_000_000).effort == 250
    assert search_way("IVF_FLAT", 1_000_000, 9_000).effort == 4000
    assert search_way("HNSW", 10, 300).effort == 300
    assert search_way("FLAT", 10).effort == 0
