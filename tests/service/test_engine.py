from dataclasses import replace

import numpy as np
import pytest

from indexer.milvus.address import parse_milvus
from service.engine import Engine
from service.errors import NotReady
from service.metrics import Metrics
from tests.fakes import FakeEncoder


def engine_of(settings, encoder=None, **more) -> Engine:
    return Engine(settings, Metrics(), load_encoder=lambda _: (encoder or FakeEncoder(), False), **more)


def test_it_is_ready_once_it_is_loaded_and_refuses_once_it_is_closed(settings):
    engine = engine_of(settings)
    assert engine.state == "loading"
    with pytest.raises(NotReady, match="being loaded"):
        engine.require()
    engine.load()
    assert engine.loaded.is_set()
    assert engine.require().localizer.index.count == 16
    engine.close()
    with pytest.raises(NotReady, match="stopping"):
        engine.require()


def test_a_failure_is_kept_and_told(settings):
    engine = engine_of(settings, FakeEncoder("another"))
    engine.load()
    assert engine.state == "failed"
    assert type(engine.failure).__name__ == "IndexMismatch"
    with pytest.raises(NotReady, match=r"cannot be served: .*another"):
        engine.require()
    engine.close()


def test_the_encoder_is_loaded_before_an_index_is_made(settings):
    done = []

    class Making:
        stage = "indexing tiles"

        def run(self):
            done.append("index")

    def load(_):
        done.append("encoder")
        return FakeEncoder(), False

    engine = Engine(settings, Metrics(), load_encoder=load, preparation=Making())  # type: ignore[arg-type]
    with pytest.raises(NotReady, match="indexing tiles"):
        engine.require()
    engine.load()
    assert done == ["encoder", "index"]
    engine.close()


def test_the_number_of_tiles_is_counted(settings):
    metrics = Metrics()
    engine = Engine(settings, metrics, load_encoder=lambda _: (FakeEncoder(), False))
    engine.load()
    assert b"clnet_index_tiles 16.0" in metrics.text()
    engine.close()


def test_an_index_is_searched_on_the_device_of_the_settings(settings):
    pytest.importorskip("torch", reason="no torch: pip install 'clnet-geolocalization[train]'")
    from indexer.index.device_scan import DeviceScan

    plain, scanning = engine_of(settings), engine_of(replace(settings, scan_on="cpu"))
    answers = []
    for engine in (plain, scanning, scanning):
        if engine.state == "loading":
            engine.load()
        else:
            engine.swap()
        index = engine.require().localizer.index
        assert isinstance(index.segments[0]._scan, DeviceScan) == (engine is scanning)
        query = np.eye(1, index.dim, dtype=np.float32)
        answers.append(index.search(query, top_k=5)[0].rows.tolist())
    assert answers[0] == answers[1] == answers[2]
    for engine in (plain, scanning):
        engine.close()


@pytest.mark.parametrize(
    ("given", "message"),
    [({"scan_on": "cuda:77"}, "cuda:77"), ({"scan_on": "cpu", "index": parse_milvus("milvus://h:1/c")}, "--scan-on")],
)
def test_a_device_that_cannot_scan_the_index_is_told_at_the_start(settings, given, message):
    pytest.importorskip("torch", reason="no torch: pip install 'clnet-geolocalization[train]'")
    engine = engine_of(replace(settings, **given))
    engine.load()
    assert engine.state == "failed"
    assert message in str(engine.failure)
    engine.close()
