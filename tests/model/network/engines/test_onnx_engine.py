from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model.common.errors import BadCheckpoint
from model.network.bundle_files import read_bundle_info
from model.network.engines.onnx_engine import OnnxEngine
from tests.model.demo_pictures import canvases


def test_any_number_of_pictures_gives_unit_vectors():
    engine = OnnxEngine(read_bundle_info("demo"), threads=1)
    whole = engine.run(canvases(5), "ground")
    assert (whole.shape, whole.dtype) == ((5, engine.dim), np.float32)
    assert np.linalg.norm(whole, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert np.abs(engine.run(canvases(5)[2:3], "ground") - whole[2:3]).max() < 1e-6


def test_threads_may_share_an_engine():
    engine = OnnxEngine(read_bundle_info("demo"), threads=1)
    alone = engine.run(canvases(2), "ground")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: engine.run(canvases(2), "ground"), range(8)))
    assert all(np.array_equal(alone, one) for one in together)


def test_a_graph_that_is_none_is_an_error_in_one_line(tmp_path):
    engine = OnnxEngine(read_bundle_info("demo"))
    engine._paths["ground"] = tmp_path / "ground.onnx"
    (tmp_path / "ground.onnx").write_bytes(b"no graph")
    with pytest.raises(BadCheckpoint, match=r"ground\.onnx cannot be opened: .*; run `python -m model export` again"):
        engine.run(canvases(1), "ground")


def test_no_thread_spins_while_it_waits():
    engine = OnnxEngine(read_bundle_info("demo"), threads=2)
    engine.run(canvases(1), "ground")
    options = engine._sessions["ground"].get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 0)
