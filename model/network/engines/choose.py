"""Which engine computes: the one asked for, or the best that is there."""

from __future__ import annotations

import ctypes
import functools
import logging
import sys

from model.common.errors import BadConfig, MissingExtra
from model.common.extras import is_installed
from model.network.bundle_files import BundleInfo
from model.network.engines.engine import Engine
from model.network.exports import has_exports

__all__ = ["ENGINES", "open_engine"]

_log = logging.getLogger(__name__)

ENGINES = ("auto", "onnxruntime", "openvino", "torch")
"""By name; `auto` is torch on a GPU and for a bundle without exports, else ONNX Runtime."""


def open_engine(
    info: BundleInfo, *, engine: str = "auto", device: str = "auto", precision: str = "auto", threads: int = 0
) -> Engine:
    """The engine of a bundle.

    Args:
        info: the bundle.
        engine: one of `ENGINES`.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, float32, bfloat16 or float16.
        threads: of one pass; 0 for what the engine does by itself.

    Raises:
        BadCheckpoint: damaged, or its weights or exports do not fit its specification.
        BadConfig: no such engine, or one that cannot do this; no such device.
        MissingExtra: the engine is not installed.
    """
    if engine not in ENGINES:
        raise BadConfig(f"engine is {engine!r}; choose {', '.join(ENGINES)}")
    chosen = _pick(info, device, precision) if engine == "auto" else engine
    if chosen != "torch" and device not in ("auto", "cpu"):
        raise BadConfig(f"device is {device!r}, and the engine {chosen} computes on the processor; choose torch")
    if chosen == "torch":
        return _told(_torch(info, device=device, precision=precision, threads=threads), precision)
    if chosen == "openvino":
        from model.network.engines.openvino_engine import OpenVinoEngine

        return _told(OpenVinoEngine(info, precision=precision, threads=threads), precision)
    if precision not in ("auto", "float32"):
        raise BadConfig(f"precision is {precision!r}, and the engine onnxruntime computes in float32; choose another")
    from model.network.engines.onnx_engine import OnnxEngine

    return OnnxEngine(info, threads=threads)


def _told(engine: Engine, precision: str) -> Engine:
    """The engine; where it would compute in bfloat16 and cannot here, that is said."""
    if precision == "auto" and engine.precision == "float32" and not engine.accelerated:
        _say_float32(engine.name)
    return engine


@functools.cache
def _say_float32(name: str) -> None:
    """Once a process."""
    _log.warning("this processor does not compute in bfloat16; %s computes in float32, at half the speed", name)


def _pick(info: BundleInfo, device: str, precision: str) -> str:
    if device not in ("auto", "cpu") or precision not in ("auto", "float32") or not has_exports(info):
        return "torch"
    return "torch" if device == "auto" and _has_gpu() and is_installed("torch") else "onnxruntime"


def _torch(info: BundleInfo, *, device: str, precision: str, threads: int) -> Engine:
    if not is_installed("torch"):
        reason = "" if has_exports(info) else f" ({info.folder} has no exports: `python -m model export` makes them)"
        raise MissingExtra(
            f"the engine torch needs torch, which is not installed{reason}; "
            "run `pip install 'clnet-geolocalization[train]'`"
        )
    from model.network.engines.torch_engine import TorchEngine

    return TorchEngine(str(info.folder), device=device, precision=precision, threads=threads)


def _has_gpu() -> bool:
    """Whether NVIDIA's driver is there and knows of a GPU; asked without torch, whose import takes seconds."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int()
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False
