import shutil
import sys

import pytest

from model.common.errors import BadConfig, MissingExtra
from model.network.bundle_files import read_bundle_info, resolve_bundle
from model.network.engines import choose
from model.network.engines.choose import ENGINES, open_engine


@pytest.fixture
def bare(tmp_path):
    """A bundle that was not exported."""
    shutil.copytree(resolve_bundle("demo"), tmp_path / "demo")
    (tmp_path / "demo/exports.json").unlink()
    return read_bundle_info(tmp_path / "demo")


def test_a_processor_runs_the_exports_where_there_are_some(bare):
    assert open_engine(read_bundle_info("demo"), device="cpu").name == "onnxruntime"
    assert open_engine(bare, device="cpu").name == "torch"
    assert open_engine(read_bundle_info("demo"), device="cpu", precision="bfloat16").name == "torch"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"engine": "tensorrt"}, f"engine is 'tensorrt'; choose {', '.join(ENGINES)}"),
        ({"engine": "onnxruntime", "device": "cuda"}, "computes on the processor; choose torch"),
        ({"engine": "onnxruntime", "precision": "bfloat16"}, "onnxruntime computes in float32"),
    ],
)
def test_what_no_engine_does_is_refused(options, reason):
    with pytest.raises(BadConfig, match=reason):
        open_engine(read_bundle_info("demo"), **options)


def test_a_missing_engine_is_named_with_what_brings_it(bare, monkeypatch):
    for library in ("torch", "openvino"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=r"needs openvino, which is not installed; run `pip install 'clnet"):
        open_engine(read_bundle_info("demo"), engine="openvino")
    with pytest.raises(MissingExtra, match=r"needs torch, which is not installed \(.* has no exports"):
        open_engine(bare)


def test_a_processor_without_bfloat16_falls_back_and_says_so_once(monkeypatch, caplog):
    monkeypatch.setattr("model.common.devices._has_bfloat16", lambda _: False)
    choose._say_float32.cache_clear()
    info = read_bundle_info("demo")
    engines = [open_engine(info, engine="torch", device="cpu") for _ in range(2)]
    assert [engine.precision for engine in engines] == ["float32", "float32"]
    assert caplog.messages == [
        "this processor does not compute in bfloat16; torch computes in float32, at half the speed"
    ]
    open_engine(info, engine="onnxruntime")  # which never does
    open_engine(info, engine="torch", device="cpu", precision="float32")  # and who asked for it knows
    assert len(caplog.messages) == 1
