"""The polar transform of a tile (SAFA, NeurIPS 2019): unrolled around its centre, it is laid out as a panorama is.

Columns are azimuths S-W-N-E-S, the centre column north, as on the panorama's canvas; rows are distances from the
tile's edge, at the top, to its centre. What a camera at the centre sees in a column lies in the same column of the
tile, which a network need not learn. The corners beyond the inscribed circle are lost.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["unroll_tiles"]


def unroll_tiles(tiles: Tensor, size_px: tuple[int, int]) -> Tensor:
    """North-up tiles float [B, C, S, S] -> canvases [B, C, height, width], sampled bilinearly.

    Args:
        tiles: square pictures.
        size_px: (width, height) of the canvases.
    """
    grid = _polar_grid(size_px, tiles.device).expand(tiles.shape[0], -1, -1, -1)
    return F.grid_sample(tiles, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _polar_grid(size_px: tuple[int, int], device: torch.device) -> Tensor:
    """Where each canvas pixel lies in the tile, as (east, south) in [-1, 1]: [1, height, width, 2]."""
    width, height = size_px
    azimuth = (torch.arange(width, device=device) + 0.5) / width * 2 * torch.pi - torch.pi
    radius = 1.0 - (torch.arange(height, device=device) + 0.5) / height
    east = radius[:, None] * azimuth.sin()
    south = -radius[:, None] * azimuth.cos()
    return torch.stack([east, south], dim=-1)[None]
