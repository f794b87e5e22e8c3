"""How much memory a training step of each recipe keeps: counted, not measured on a GPU.

    python -m benchmarks.count_memory

Counted is what the graph of the forward pass saves for the backward pass in half precision, for one pair: the
difference between two pairs and one, so that copies of the weights drop out. To it come weights, gradients and moments,
once. Kernels need room for themselves beside that. Writes `results/memory.json`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.record import write_record
from model.common.devices import autocast
from model.inputs.specs import View
from model.network.clnet import CLNet
from model.training.config import RunSpec, load_run

_CHUNK = 16
_FLOAT32_COPIES = 4
"""Weights, gradients, and AdamW's two moments."""


def main() -> None:
    """Count, print a table, record it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "configs", nargs="*", type=Path, help="configurations (default: all of the benchmarks' recipes)"
    )
    args = parser.parse_args()
    paths = args.configs or [path for kind in ("sample4geo", "clnet") for path in sorted(_in_configs(kind))]
    table = {}
    for path in paths:
        table[path.stem] = found = count(load_run(path))
        print(
            f"{path.stem:28} {found['whole_batch_gb']:7.1f} GB   chunk {_CHUNK}: {found['chunks_gb']:5.1f} GB",
            flush=True,
        )
    print(write_record("memory", {"chunk": _CHUNK, "recipes": table}))


def count(run: RunSpec) -> dict[str, Any]:
    """Megabytes of one pair, and gigabytes of a step with the whole batch at once and in chunks."""
    net = CLNet(run.model, run.inputs).train()
    fixed = sum(value.numel() for value in net.parameters()) * 4 * (_FLOAT32_COPIES + (run.optim.ema > 0))
    pair = saved_bytes(net, run, 2) - saved_bytes(net, run, 1)
    return {
        "pair_mb": round(pair / 1e6, 1),
        "batch": run.optim.batch,
        "whole_batch_gb": round((fixed + pair * run.optim.batch) / 1e9, 1),
        "chunks_gb": round((fixed + pair * _CHUNK) / 1e9, 1),
    }


def saved_bytes(net: CLNet, run: RunSpec, pairs: int) -> int:
    """What both views' forward passes keep for the backward pass; memory that two tensors share counts once."""
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return value

    sides: tuple[tuple[View, tuple[int, int]], ...] = (
        ("ground", (run.inputs.ground_height_px, run.inputs.ground_width_px)),
        ("satellite", (run.inputs.satellite_px, run.inputs.satellite_px)),
    )
    graphs = []
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value),
        autocast(torch.device("cpu"), torch.bfloat16),
    ):
        for view, size in sides:
            graphs.append(net(torch.zeros(pairs, 3, *size), view))  # kept, so that no memory is given out twice
    return sum(kept.values())


def _in_configs(kind: str) -> list[Path]:
    return list(Path("configs").glob(f"{kind}-*.json"))


if __name__ == "__main__":
    main()
