import pytest

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
