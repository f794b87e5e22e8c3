"""What the anchors of a tile could share: how much of the passes, and how far their vectors would be off.

A tile is described around many anchors, each a pass of its own over the tile moved. Asked here, on tiles of a folder:

* unrolled tiles (`inputs.polar`): the first stages computed once on the tile itself, and their features unrolled around
  each anchor in place of its pixels: how near the vectors come to the exact ones;
* tiles as they are: at how many positions a stage's features of the moved tile are those of the tile, moved;
* what the first stages take of a pass, which is the most that sharing them could save.

Writes `results/anchors.json`.

    python -m benchmarks.bench_anchors --tiles clnet-data/demo/region/tiles
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.record import turns, write_record
from model.common.images import decode_image
from model.inputs.anchors import anchor_px, recentre
from model.inputs.transforms import resize_tile
from model.network.checkpoints import load_bundle
from model.network.clnet import CLNet, _pool
from model.network.forward import normalise
from model.network.polar import unroll_tiles

_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_SAME = 1e-4
"""Of the features' spread: what two sums in another order may differ by, and more."""
_STAGES = 4


@torch.inference_mode()
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tiles", type=Path, required=True, help="folder of tiles")
    parser.add_argument("--checkpoint", default="demo", help="bundle of a ConvNeXt on unrolled tiles")
    parser.add_argument("--count", type=int, default=32, help="tiles looked at (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of timing")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    net = load_bundle(args.checkpoint).net.eval()
    tiles = _tiles(args.tiles, args.count, net)
    pixels = unroll_tiles(normalise(torch.from_numpy(tiles), net.inputs), net.inputs.satellite_canvas_px)
    same = (_rest(net, _stages(net, pixels, 0, 1), 1) * net(pixels, "satellite")).sum(dim=1)
    if same.min() < 1.0 - _SAME:
        parser.error(f"{args.checkpoint} is not put together as a ConvNeXt is; name another one")
    result = {
        "beside": args.beside,
        "tiles": len(tiles),
        "anchors": len(net.inputs.anchor_points),
        "cosine_to_exact_where_shared": {f"up to stage {cut}": _shared(net, tiles, cut) for cut in range(2)},
        "positions_equal_of_tiles_as_they_are": _equal(net, tiles),
        "share_of_a_pass": _shares(net, tiles, args.rounds),
    }
    for name, value in result.items():
        print(name, value)
    print(write_record("anchors", result))
    return 0


def _tiles(folder: Path, count: int, net: CLNet) -> np.ndarray:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)
    chosen = [paths[row] for row in np.unique(np.linspace(0, len(paths) - 1, count).astype(int))]
    return np.stack([resize_tile(decode_image(path), net.inputs) for path in chosen])


def _shared(net: CLNet, tiles: np.ndarray, cut: int) -> dict[str, float]:
    """Vectors of all anchors, by features of the tile unrolled behind a stage, beside those of unrolled pixels."""
    cosines = []
    side, size_px = tiles.shape[1], net.inputs.satellite_canvas_px
    whole = _stages(net, normalise(torch.from_numpy(tiles), net.inputs), 0, cut + 1)
    for point in net.inputs.anchor_points:
        east, south = anchor_px(point, side)
        moved = normalise(torch.from_numpy(recentre(tiles, east, south)), net.inputs)
        exact = net(unroll_tiles(moved, size_px), "satellite")
        stride = side // whole.shape[-1]
        features = unroll_tiles(
            _moved(whole, east / stride, south / stride), (size_px[0] // stride, size_px[1] // stride)
        )
        cosines.append((exact * _rest(net, features, cut + 1)).sum(dim=1).numpy())
    found = np.concatenate(cosines)
    return {"least": round(float(found.min()), 3), "median": round(float(np.median(found)), 3)}


def _moved(features: Tensor, east: float, south: float) -> Tensor:
    """Features with the point (east, south) positions from their centre in the centre; between positions linear."""
    half = features.shape[-1] / 2
    theta = torch.tensor([[[1.0, 0.0, east / half], [0.0, 1.0, south / half]]]).expand(len(features), -1, -1)
    grid = torch.nn.functional.affine_grid(theta, list(features.shape), align_corners=False)
    return torch.nn.functional.grid_sample(features, grid, align_corners=False)


def _equal(net: CLNet, tiles: np.ndarray) -> dict[str, float]:
    """Percent of the positions that both see, after a move by one position of each stage towards the north-west."""
    shares = {}
    for stage in range(_STAGES):
        features = _stages(net, normalise(torch.from_numpy(tiles), net.inputs), 0, stage + 1)
        step = tiles.shape[1] // features.shape[-1]
        moved = _stages(net, normalise(torch.from_numpy(recentre(tiles, step, step)), net.inputs), 0, stage + 1)
        off = (moved[..., :-1, :-1] - features[..., 1:, 1:]).abs().amax(dim=1) / features.std()
        shares[f"stage {stage}"] = round(100 * float((off < _SAME).float().mean()), 1)
    return shares


def _shares(net: CLNet, tiles: np.ndarray, rounds: int) -> dict[str, float]:
    """Percent of a pass's processor time up to and with each stage."""
    pixels = unroll_tiles(normalise(torch.from_numpy(tiles[:16]), net.inputs), net.inputs.satellite_canvas_px)
    ways: dict[str, Callable[[], object]] = {
        f"up to stage {stage}": lambda stage=stage: _stages(net, pixels, 0, stage + 1)  # type: ignore[misc]
        for stage in range(_STAGES)
    }
    ways["pass"] = lambda: net(pixels, "satellite")
    least = {name: min(one) for name, one in turns(ways, rounds, clock=time.process_time).items()}
    return {name: round(100 * seconds / least["pass"], 1) for name, seconds in least.items()}


def _stages(net: CLNet, pictures: Tensor, begin: int, end: int) -> Tensor:
    backbone: Any = net.backbones["shared" if net.spec.share_weights else "satellite"]
    features: Tensor = backbone.stem(pictures) if begin == 0 else pictures
    for stage in backbone.stages[begin:end]:
        features = stage(features)
    return features


def _rest(net: CLNet, features: Tensor, begin: int) -> Tensor:
    """Unit vectors from the features behind the stage before `begin`."""
    levels = [features]
    for stage in range(begin, _STAGES):
        levels.append(_stages(net, levels[-1], stage, stage + 1))
    maps = net.importance("satellite")
    used = [levels[level - (begin - 1)] for level in net.spec.levels]
    pooled = [_pool(feature, weight) for feature, weight in zip(used, maps, strict=True)]
    return torch.nn.functional.normalize(net.projection(net.norm(torch.cat(pooled, dim=1))).float(), dim=1)


if __name__ == "__main__":
    sys.exit(main())
