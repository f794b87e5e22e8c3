"""What a checkpoint's correspondence maps learned: whether both views look the same way, and what the maps are worth.

    python -m benchmarks.maps --checkpoint demo --data world:val

For each level, the share of channels whose ground and satellite maps peak in the same column (of unrolled tiles: the
same azimuth) beside what chance would give; then recall with the maps, and with all of them set uniform, without
retraining.
Writes `results/NAME.json`.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import torch

from benchmarks.record import write_record
from model.common.devices import pick_device, pick_half
from model.data.sources import open_pairs
from model.evaluation.evaluator import DualEncoder, evaluate
from model.inputs.specs import View
from model.network.checkpoints import load_bundle
from model.network.clnet import CLNet
from model.network.forward import encode_view

__all__ = ["agreement", "main", "uniform"]


def agreement(net: CLNet) -> list[dict[str, float]]:
    """For each level, the share of maps that peak in the same column of both views, and of one of so many columns."""
    found = []
    for ground, satellite in zip(net.importance("ground"), net.importance("satellite"), strict=True):
        if ground is None or satellite is None or ground.shape != satellite.shape:
            continue
        columns = ground.shape[2]
        peaks = [weights.flatten(1).argmax(dim=1) % columns for weights in (ground, satellite)]
        same = (peaks[0] == peaks[1]).float().mean().item()
        found.append({"same column": round(100.0 * same, 1), "chance": round(100.0 / columns, 1)})
    return found


def uniform(net: CLNet, view: View) -> list[torch.Tensor | None]:
    """A view's maps with every position as important as the next."""
    return [None if weights is None else torch.full_like(weights, 2.0) for weights in net.importance(view)]


def main() -> None:
    """Print and record both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--checkpoint", default="demo", help="bundle folder, or the name of a packaged one")
    parser.add_argument("--data", default="world:val", help="where recall is measured (default: %(default)s)")
    parser.add_argument("--name", default="maps", help="of the record (default: %(default)s)")
    args = parser.parse_args()
    bundle, device = load_bundle(args.checkpoint), pick_device("auto")
    net = bundle.net.to(device)
    pairs = open_pairs(args.data)
    recall: dict[str, Any] = {}
    for name, maps in (("learned", net.importance), ("uniform", partial(uniform, net))):
        encode = partial(encode_view, net, inputs=net.inputs, half=pick_half(device, "auto"))
        ground = partial(encode, view="ground", importance=maps("ground"))
        satellite = partial(encode, view="satellite", importance=maps("satellite"))
        recall[name] = evaluate(DualEncoder(ground, satellite, net.inputs, net.dim), pairs).recall
    result = {"checkpoint": bundle.digest, "levels": agreement(net), "data": args.data, "recall": recall}
    print(result)
    print(write_record(args.name, result))


if __name__ == "__main__":
    main()
