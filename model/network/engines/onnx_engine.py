"""A bundle's exports in ONNX Runtime: float32 on any processor, without torch."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadCheckpoint
from model.common.processors import available_processors
from model.inputs.specs import View
from model.network.bundle_files import BundleInfo
from model.network.engines.engine import Numbers
from model.network.exports import Graph, require_exports

__all__ = ["OnnxEngine"]


class OnnxEngine:
    """One session for each graph, made when it is first asked for; none of its threads spins while it waits."""

    name = "onnxruntime"
    precision = "float32"
    numbers: Numbers = "float"
    accelerated = False

    def __init__(self, info: BundleInfo, *, threads: int = 0) -> None:
        """Check the exports of a bundle.

        Args:
            info: the bundle.
            threads: of one pass; 0 for as many as there are processors for this process.

        Raises:
            BadCheckpoint: the bundle has no exports, or they were changed or belong to other weights.
        """
        exports = require_exports(info)
        self._paths, self.dim = exports.paths, exports.dim
        self._threads = threads or available_processors()
        self.sweeps = "headings" in self._paths
        self._sessions: dict[Graph, Any] = {}
        self._lock = threading.Lock()

    def run(self, pixels: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
        """Pictures uint8 [B, H, W, 3] -> unit vectors float32 [B, dim]."""
        vectors: NDArray[np.float32] = self._session(view).run(None, {"pixels": pixels})[0]
        return vectors

    def sweep(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Canvases uint8 [B, H, W, 3] -> unit vectors float32 [B, T, dim] at `swept_turns`."""
        vectors: NDArray[np.float32] = self._session("headings").run(None, {"pixels": pixels})[0]
        return vectors

    def _session(self, graph: Graph) -> Any:
        with self._lock:
            if graph not in self._sessions:
                self._sessions[graph] = self._open(graph)
            return self._sessions[graph]

    def _open(self, graph: Graph) -> Any:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        # A thread that spins takes its core from whoever shares the machine, and from our own decoding.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = self._paths[graph]
        try:
            return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # what a damaged graph raises is not of one type
            reason = " ".join(str(error).split())[:160]
            raise BadCheckpoint(f"{path} cannot be opened: {reason}; run `python -m model export` again") from error
