"""Why a photo and a tile match: what each pair of their positions contributes to the score, exactly.

After the backbone everything is linear but for two divisors: features are weighed by maps, averaged over positions,
normalised, projected and brought to unit length. For one picture the divisors (the layer norm's deviation, the vector's
length) are numbers, and so are weights and gates that depend on the picture. So its vector is a sum with one term a
position, and the score of two pictures is a sum over pairs of positions. What does not depend on the picture, the
biases, is shared out evenly.

The network comes as torch loads it; whatever engine answers otherwise, this needs the features inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.common.errors import BadConfig
from model.inputs.anchors import anchor_px, recentre
from model.inputs.specs import View
from model.inputs.transforms import InputSpec
from model.network.checkpoints import load_bundle
from model.network.clnet import CLNet
from model.network.forward import encode_batch

__all__ = ["Explainer", "Explanation"]

_Floats = NDArray[np.float64]
_Pixels = NDArray[np.uint8]
_Grid = tuple[int, int]

TILE_GRID: _Grid = (8, 8)
"""Cells of a tile, north up, that contributions are gathered in."""
_PHOTO_CELLS = 128
"""Cells of a photo at most; a finer grid is joined."""


@dataclass(frozen=True)
class Explanation:
    """What the pairs of cells contribute to a score.

    Attributes:
        photo_grid: (rows, columns) of the photo's canvas.
        tile_grid: likewise of the tile.
        pairs: float64 [photo cells, tile cells], cells counted row by row; their sum is the score.
    """

    photo_grid: _Grid
    tile_grid: _Grid
    pairs: _Floats

    @property
    def score(self) -> float:
        """Cosine similarity."""
        return float(self.pairs.sum())

    @property
    def photo_heat(self) -> _Floats:
        """[rows, columns] of the photo: what each cell contributes with the whole tile."""
        return np.asarray(self.pairs.sum(axis=1).reshape(self.photo_grid), np.float64)

    @property
    def tile_heat(self) -> _Floats:
        """[rows, columns] of the tile: what each cell contributes with the whole photo."""
        return np.asarray(self.pairs.sum(axis=0).reshape(self.tile_grid), np.float64)

    def strongest(self, count: int) -> list[tuple[int, int, float]]:
        """(photo cell, tile cell, contribution) of the pairs that speak most for the match, no cell twice."""
        found: list[tuple[int, int, float]] = []
        photo_cells, tile_cells = set[int](), set[int]()
        for flat in np.argsort(-self.pairs, axis=None):
            photo, tile = divmod(int(flat), self.pairs.shape[1])
            if len(found) == count or self.pairs[photo, tile] <= 0:
                break
            if photo not in photo_cells and tile not in tile_cells:
                found.append((photo, tile, float(self.pairs[photo, tile])))
                photo_cells.add(photo)
                tile_cells.add(tile)
        return found


class Explainer:
    """A network that can be looked into.

    Example:
        >>> explainer = Explainer.load("demo")  # doctest: +SKIP
        >>> explainer.explain(canvas, tile).score  # doctest: +SKIP
        0.52
    """

    def __init__(self, net: CLNet) -> None:
        self._net = net.eval()
        self.inputs: InputSpec = net.inputs

    @classmethod
    def load(cls, bundle: str | Path) -> Explainer:
        """Load a bundle by path or packaged name, on the CPU.

        Raises:
            BadCheckpoint: not a bundle, or damaged.
        """
        return cls(load_bundle(bundle).net)

    def explain(self, canvas: _Pixels, tile: _Pixels, *, anchor: tuple[float, float] = (0.0, 0.0)) -> Explanation:
        """Contributions of a photo's canvas uint8 [H, W, 3] and a tile uint8 [S, S, 3] to their score.

        Args:
            canvas: north in its middle.
            tile: north up.
            anchor: (east, south) from the tile's centre, in shares of its side, around which it is described.

        Raises:
            BadConfig: the network has a norm that is not linear for one picture.
        """
        ground, grid = self._parts(canvas, "ground")
        joined = _joined(grid, _PHOTO_CELLS)
        moved = anchor_px(anchor, self.inputs.satellite_px)
        satellite, tile_grid = self._parts(recentre(tile, *moved), "satellite")
        photo_parts = _gather(_cells(grid, joined), joined[0] * joined[1]) @ ground
        tile_parts = _tile_shares(self.inputs, tile_grid, moved) @ satellite
        return Explanation(joined, TILE_GRID, photo_parts @ tile_parts.T)

    @torch.inference_mode()
    def _parts(self, pixels: _Pixels, view: View) -> tuple[_Floats, _Grid]:
        """The terms [positions, D] of a picture's unit vector, on the grid of its finest level."""
        found: list[tuple[_Floats, _Grid]] = []

        def keep(pictures: Tensor, of: View, _: object) -> Tensor:
            found.append(self._terms(pictures, of))
            return torch.from_numpy(found[0][0].sum(axis=0, keepdims=True))

        encode_batch(keep, torch.from_numpy(np.array(pixels[np.newaxis])), self.inputs, view, half=None)
        return found[0]

    def _terms(self, pictures: Tensor, view: View) -> tuple[_Floats, _Grid]:
        net = self._net
        if not isinstance(net.norm, nn.LayerNorm) or not isinstance(net.projection, nn.Linear | nn.Identity):
            raise BadConfig(f"a network with {type(net.norm).__name__} before its projection cannot be explained")
        levels = [
            _weighed(feature[0], weight)
            for feature, weight in net.weighed_features(pictures, view, net.importance(view))
        ]
        if net.gates is not None and not net.spec.flow:
            levels = [_gated(net, number, level) for number, level in enumerate(levels)]
        pooled = torch.cat([level.sum(dim=(1, 2)) for level in levels])
        deviation = (pooled.var(correction=0) + net.norm.eps).sqrt()
        scale = _or_ones(net.norm.weight, len(pooled)) / deviation
        matrix = _matrix(net.projection, len(pooled)) * scale
        shift = net.projection(_or_zeros(net.norm.bias, len(pooled)).float()).double()
        grid: _Grid = (levels[0].shape[1], levels[0].shape[2])
        terms = torch.zeros(grid[0] * grid[1], matrix.shape[0], dtype=torch.float64)
        begin = 0
        for level in levels:
            channels, coarse = level.shape[0], (level.shape[1], level.shape[2])
            flat = level.flatten(1).T  # [positions, channels]
            one = flat @ matrix[:, begin : begin + channels].T
            one = one - flat.sum(dim=1, keepdim=True) / len(pooled) * matrix.sum(dim=1)  # the layer norm's mean
            cells = torch.from_numpy(_cells(grid, coarse))
            terms += one[cells] / torch.bincount(cells, minlength=len(one))[cells, None]
            begin += channels
        terms += shift / len(terms)
        return (terms / terms.sum(dim=0).norm()).numpy(), grid


def _gated(net: CLNet, number: int, level: Tensor) -> Tensor:
    """A level's share times the gate of each channel: for one picture it is a number."""
    return level * net.gate(number, level.sum(dim=(1, 2)).float()[None])[0].double()[:, None, None]


def _weighed(feature: Tensor, weight: Tensor | None) -> Tensor:
    """A level's share of the pooled features at each position: [M C, H, W] in float64."""
    feature = feature.double()
    positions = feature.shape[1] * feature.shape[2]
    if weight is None:
        return feature / positions
    maps = weight.double().reshape(-1, *feature.shape)  # those of the one picture, where each has its own
    return (feature * maps / positions).flatten(0, 1)


def _matrix(projection: nn.Module, length: int) -> Tensor:
    if isinstance(projection, nn.Linear):
        return projection.weight.double()
    return torch.eye(length, dtype=torch.float64)


def _or_ones(weight: Tensor | None, length: int) -> Tensor:
    return torch.ones(length, dtype=torch.float64) if weight is None else weight.double()


def _or_zeros(bias: Tensor | None, length: int) -> Tensor:
    return torch.zeros(length, dtype=torch.float64) if bias is None else bias.double()


def _joined(grid: _Grid, at_most: int) -> _Grid:
    """The grid, or one of fewer cells in about the same shape."""
    rows, columns = grid
    while rows * columns > at_most:
        rows, columns = (rows, (columns + 1) // 2) if columns >= 2 * rows else ((rows + 1) // 2, columns)
    return rows, columns


def _cells(fine: _Grid, coarse: _Grid) -> NDArray[np.int64]:
    """For each cell of a fine grid, the cell of a coarse one that it lies in."""
    rows = np.arange(fine[0]) * coarse[0] // fine[0]
    columns = np.arange(fine[1]) * coarse[1] // fine[1]
    return np.asarray((rows[:, np.newaxis] * coarse[1] + columns).ravel(), np.int64)


def _gather(cells: NDArray[np.int64], count: int) -> _Floats:
    """The matrix [count, cells] that adds up what lies in each cell."""
    matrix = np.zeros((count, len(cells)))
    matrix[cells, np.arange(len(cells))] = 1.0
    return matrix


def _tile_shares(inputs: InputSpec, grid: _Grid, moved_px: tuple[int, int]) -> _Floats:
    """The matrix [tile cells, positions] that lays positions of the network's grid on the tile; columns sum to one.

    What lies beyond the tile's edge, since the tile was moved to an anchor, is laid on the edge.
    """
    width, height = inputs.satellite_canvas_px
    across, down = _on_tile(inputs, moved_px)
    rows = np.clip((down * TILE_GRID[0]).astype(np.int64), 0, TILE_GRID[0] - 1)
    columns = np.clip((across * TILE_GRID[1]).astype(np.int64), 0, TILE_GRID[1] - 1)
    positions = _cells((height, width), grid)
    shares = np.zeros((TILE_GRID[0] * TILE_GRID[1], grid[0] * grid[1]))
    np.add.at(shares, ((rows * TILE_GRID[1] + columns).ravel(), positions), 1.0)
    return np.asarray(shares / shares.sum(axis=0), np.float64)


def _on_tile(inputs: InputSpec, moved_px: tuple[int, int]) -> tuple[_Floats, _Floats]:
    """Where each pixel that the network sees lies on the tile: (across, down) in [0, 1] and beyond, [H, W] each."""
    width, height = inputs.satellite_canvas_px
    column, row = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    across, down = column, row
    if inputs.polar:  # columns are azimuths S-W-N-E-S, rows distances from the edge to the centre
        azimuth, radius = column * 2 * np.pi - np.pi, 1.0 - row
        across, down = (1 + radius * np.sin(azimuth)) / 2, (1 - radius * np.cos(azimuth)) / 2
    return across + moved_px[0] / inputs.satellite_px, down + moved_px[1] / inputs.satellite_px
