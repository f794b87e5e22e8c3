"""A bundle's exports in OpenVINO, on Intel's and AMD's processors; bfloat16 where the processor computes in it."""

from __future__ import annotations

import functools
import threading
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadCheckpoint, BadConfig
from model.common.extras import import_extra
from model.inputs.specs import View
from model.network.bundle_files import BundleInfo
from model.network.engines.engine import Numbers
from model.network.exports import Graph, require_exports

__all__ = ["OpenVinoEngine"]

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoEngine:
    """One compiled model for each graph, made when it is first asked for."""

    name = "openvino"
    numbers: Numbers = "float"
    accelerated = False

    def __init__(self, info: BundleInfo, *, precision: str = "auto", threads: int = 0) -> None:
        """Check the exports of a bundle and what the processor can do.

        Args:
            info: the bundle.
            precision: auto, float32 or bfloat16; auto is bfloat16 where the processor has it.
            threads: of one pass; 0 leaves it to OpenVINO.

        Raises:
            MissingExtra: OpenVINO is not installed.
            BadCheckpoint: the bundle has no exports, or they were changed or belong to other weights.
            BadConfig: the processor does not compute in this precision.
        """
        self._core = _core()
        exports = require_exports(info)
        self._paths, self.dim = exports.paths, exports.dim
        self.sweeps = "headings" in self._paths
        has_bfloat16 = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bfloat16" and not has_bfloat16:
            raise BadConfig("this processor does not compute in bfloat16; leave the precision at auto, or give float32")
        self.precision: Literal["float32", "bfloat16"] = (
            "bfloat16" if has_bfloat16 and precision in ("auto", "bfloat16") else "float32"
        )
        self._threads = threads
        self._requests: dict[Graph, Any] = {}
        self._lock = threading.Lock()

    def run(self, pixels: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
        """Pictures uint8 [B, H, W, 3] -> unit vectors float32 [B, dim]; one pass at a time."""
        return self._infer(pixels, view)

    def sweep(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Canvases uint8 [B, H, W, 3] -> unit vectors float32 [B, T, dim] at `swept_turns`."""
        return self._infer(pixels, "headings")

    def _infer(self, pixels: NDArray[np.uint8], graph: Graph) -> NDArray[np.float32]:
        with self._lock:
            (vectors,) = self._request(graph).infer({"pixels": pixels}).values()
            return np.array(vectors, np.float32)

    def _request(self, graph: Graph) -> Any:
        if graph not in self._requests:
            options: dict[str, Any] = {
                "INFERENCE_PRECISION_HINT": _PRECISIONS[self.precision],
                "PERFORMANCE_HINT": "LATENCY",
            }
            if self._threads:
                options["INFERENCE_NUM_THREADS"] = self._threads
            path = self._paths[graph]
            try:
                compiled = self._core.compile_model(path, "CPU", options)
            except RuntimeError as error:
                reason = " ".join(str(error).split())[:160]
                raise BadCheckpoint(f"{path} cannot be opened: {reason}; run `python -m model export` again") from error
            self._requests[graph] = compiled.create_infer_request()
        return self._requests[graph]


@functools.cache
def _core() -> Any:
    """The one core of the process, never closed.

    Its CPU plugin gives the thread that loads it another stack for signals, and takes it back when it is closed. Of two
    cores the later one then puts back what the earlier one has freed, and the next signal with a handler ends the
    process (seen with openvino 2026.4).
    """
    return import_extra("openvino", "the engine openvino").Core()
