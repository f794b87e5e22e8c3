"""A bundle's network in torch: the reference of the other engines, and the way to a GPU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.common.devices import autocast, pick_device, pick_half
from model.inputs.specs import VIEWS, View
from model.network.checkpoints import load_bundle
from model.network.clnet import CLNet
from model.network.engines.engine import Numbers
from model.network.engines.recorded import RecordedPasses
from model.network.exports import has_sweep
from model.network.forward import prepare
from model.network.sweep import Sweep

__all__ = ["TorchEngine"]


class TorchEngine:
    """The network on one device, its correspondence maps folded."""

    name = "torch"
    numbers: Numbers = "float"

    def __init__(
        self, folder: str, *, device: str = "auto", precision: str = "auto", threads: int = 0, recorded: bool = True
    ) -> None:
        """Load a bundle's weights.

        Args:
            folder: of the bundle.
            device: auto, cpu, cuda, cuda:N or mps.
            precision: one of `model.common.devices.PRECISIONS`.
            threads: of one pass on the processor, for the whole process; 0 leaves them as they are.
            recorded: replay passes as recorded graphs where the device is a CUDA device.

        Raises:
            BadCheckpoint: the weights are damaged, or do not fit the specification.
            BadConfig: the device is not there.
        """
        if threads:
            torch.set_num_threads(threads)
        self._device = pick_device(device)
        self._half = pick_half(self._device, precision)
        bundle = load_bundle(folder)
        self._swept = Sweep(bundle.net).eval().to(self._device) if has_sweep(bundle) else None
        net: CLNet = bundle.net.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._net = net
        self.dim = net.dim
        self.precision = "float32" if self._half is None else str(self._half).removeprefix("torch.")
        self.accelerated = self._device.type != "cpu"
        self.sweeps = self._swept is not None
        with torch.no_grad():
            passes = {view: self._pass(view) for view in VIEWS}
        replays = recorded and self._device.type == "cuda"
        self._passes = {view: RecordedPasses(one) if replays else one for view, one in passes.items()}

    def _pass(self, view: View) -> Callable[[Tensor], Tensor]:
        """The network alone, on prepared pictures."""
        maps = self._net.importance(view)

        def forward(pictures: Tensor) -> Tensor:
            with autocast(self._device, self._half):
                vectors: Tensor = self._net(pictures, view, maps)
            return vectors

        return forward

    @torch.inference_mode()
    def run(self, pixels: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
        """Pictures uint8 [B, H, W, 3] -> unit vectors float32 [B, dim]."""
        batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device)
        vectors = self._passes[view](prepare(batch, self._net.inputs, view))
        return vectors.cpu().numpy()

    @torch.inference_mode()
    def sweep(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Canvases uint8 [B, H, W, 3] -> unit vectors float32 [B, T, dim] at `swept_turns`; always in float32."""
        assert self._swept is not None
        vectors: torch.Tensor = self._swept(torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device))
        return vectors.cpu().numpy()
