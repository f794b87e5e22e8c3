"""A bundle's network as ONNX graphs, whose weights stay in the bundle's `weights.safetensors`.

There is one for each view, and one for the ground view at all headings at once. A graph takes uint8 pictures and gives
unit vectors: normalisation, the polar transform and the folded correspondence
maps are inside. Its weights are external data: places in the safetensors file, read as they are stored and cast to
float32, so that no weight is on disk twice.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from model.common.atomic_io import sha256_bytes
from model.common.errors import BadCheckpoint
from model.common.extras import import_extra
from model.inputs.specs import View
from model.network.bundle_files import WEIGHTS, StoredTensor, read_tensor_table
from model.network.clnet import CLNet
from model.network.exports import Graph
from model.network.forward import encode_batch
from model.network.sweep import Sweep

__all__ = ["write_graph"]

_EXAMPLES = 2
"""Pictures in the batch that the network is traced with; a batch of one would be taken for a constant."""
_FOLDED_NUMBERS = 1024
"""Of a constant that is computed with ahead of time; larger ones are weights, and stay as they are on disk."""
_ONNX_TYPES = {"F16": "FLOAT16", "F32": "FLOAT", "BF16": "BFLOAT16"}


class _Side(nn.Module):
    """One view of a network, its correspondence maps folded into constants."""

    def __init__(self, net: CLNet, view: View) -> None:
        super().__init__()
        self.net, self.view = net, view
        with torch.no_grad():
            maps = net.importance(view)
        self._folded = [None if one is None else f"folded_{level}" for level, one in enumerate(maps)]
        for name, one in zip(self._folded, maps, strict=True):
            if name is not None:
                self.register_buffer(name, one)

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 [B, H, W, 3] -> unit vectors float32 [B, dim]."""
        maps = [None if name is None else getattr(self, name) for name in self._folded]
        return encode_batch(self.net, pixels, self.net.inputs, self.view, half=None, importance=maps)


def write_graph(net: CLNet, graph: Graph, folder: Path, path: Path) -> None:
    """Write one graph of a bundle's network as an ONNX file.

    Args:
        net: the network, in evaluation mode, on the processor.
        graph: which one.
        folder: of the bundle.
        path: the file to write, in the bundle's folder.

    Raises:
        MissingExtra: the exporter is not installed.
        BadCheckpoint: the network cannot be exported.
        BadConfig: all headings at once are wanted, and its features cannot be turned.
    """
    onnx = import_extra("onnx", "exporting a bundle")
    import_extra("onnxscript", "exporting a bundle")
    side = Sweep(net) if graph == "headings" else _Side(net, graph)
    traced = _trace(
        side.eval(), graph, net.inputs.satellite_size_px if graph == "satellite" else net.inputs.ground_size_px
    )
    _forget_origins(traced)
    _store_outside(onnx, traced.graph, read_tensor_table(folder / WEIGHTS), net)
    onnx.save_model(traced, path)


def _trace(side: nn.Module, graph: Graph, size_px: tuple[int, int]) -> Any:
    width, height = size_px
    example = torch.zeros(_EXAMPLES, height, width, 3, dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1, max=65_536)
    try:
        with _quiet():
            program = torch.onnx.export(
                side,
                (example,),
                dynamo=True,
                dynamic_shapes=({0: batch},),
                input_names=["pixels"],
                output_names=["vectors"],
                external_data=False,
                optimize=False,  # see below
                verbose=False,
            )
    except Exception as error:  # the exporter raises almost anything
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise BadCheckpoint(f"the {graph} side of this network cannot be exported: {reason}") from error
    assert program is not None
    # All of the exporter's optimizations would fold norms into weights, which then were not the file's any more; the
    # engine does that when it loads the graph, once constants are constants.
    optimizer = import_extra("onnxscript.optimizer", "exporting a bundle")
    with _quiet():
        optimizer.fold_constants(program.model, input_size_limit=_FOLDED_NUMBERS)
        optimizer.remove_unused_nodes(program.model)
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings of its own future, and its account of every rewritten operator."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _forget_origins(model: Any) -> None:
    """Drop what says which line of which file an operator comes from: it is long, and differs between machines."""
    for part in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    del model.graph.value_info[:]


def _store_outside(onnx: Any, graph: Any, stored: dict[str, StoredTensor], net: CLNet) -> None:
    """Let every constant that is a weight of the bundle point into its file: cast where that is shorter, and turned.

    The exporter renames weights, gives them axes of length one, and transposes those of linear layers; what it does not
    change is their numbers.
    """
    places = _numbers_of(net.state_dict(), stored)
    helper, kinds = onnx.helper, onnx.TensorProto
    added = []
    for constant in graph.initializer:
        if constant.data_type != kinds.FLOAT:
            continue
        found = places.get(sha256_bytes(onnx.numpy_helper.to_array(constant).tobytes()))
        if found is None:
            continue
        key, transposed = found
        kind = getattr(kinds, _ONNX_TYPES[stored[key].dtype])
        wanted, outside = constant.name, f"{constant.name}.stored"
        constant.name = outside
        if transposed:
            constant.dims[:] = stored[key].shape
        if kind != kinds.FLOAT:
            result = f"{wanted}.float" if transposed else wanted
            added.append(helper.make_node("Cast", [outside], [result], to=kinds.FLOAT))
            outside = result
        if transposed:
            added.append(helper.make_node("Transpose", [outside], [wanted], perm=[1, 0]))
        elif kind == kinds.FLOAT:
            constant.name = wanted
        _point_at(onnx, constant, stored[key], kind)
    nodes = [*added, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _numbers_of(state: Mapping[str, Tensor], stored: dict[str, StoredTensor]) -> dict[str, tuple[str, bool]]:
    """Digest of a weight's float32 numbers -> its name, and whether the digest is that of its transposed self."""
    places: dict[str, tuple[str, bool]] = {}
    for key, value in state.items():
        if key not in stored or stored[key].dtype not in _ONNX_TYPES or not value.ndim:
            continue
        numbers = value.float().numpy()
        if numbers.ndim == 2:
            places.setdefault(sha256_bytes(np.ascontiguousarray(numbers.T).tobytes()), (key, True))
        places[sha256_bytes(np.ascontiguousarray(numbers).tobytes())] = (key, False)
    return places


def _point_at(onnx: Any, constant: Any, place: StoredTensor, kind: int) -> None:
    constant.ClearField("raw_data")
    constant.ClearField("float_data")
    constant.data_type = kind
    constant.data_location = onnx.TensorProto.EXTERNAL
    del constant.external_data[:]
    for name, value in (("location", WEIGHTS), ("offset", place.offset), ("length", place.length)):
        constant.external_data.add(key=name, value=str(value))
