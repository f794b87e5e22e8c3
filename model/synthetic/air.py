"""The sky of a panorama and what stands on its horizon, beyond the ground that is drawn: none of it is on the tile.

Noise comes from integer arithmetic and Pillow's resizing of bytes, so that every machine draws the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.synthetic.appearance import Air
from model.synthetic.hashing import unit

__all__ = ["draw_air", "grain"]

_PALE = np.array([206.0, 216.0, 228.0], np.float32)
_GRAIN_PX = 3
_Floats = NDArray[np.float64]


def draw_air(
    air: Air, sun: tuple[float, float, float], east: _Floats, north: _Floats, slopes: _Floats
) -> NDArray[np.float32]:
    """Sky and far horizon, float32 [H, W, 3] in grey levels.

    Args:
        air: what to draw.
        sun: unit vector (east, north, up).
        east: of the columns' unit vectors [W].
        north: likewise.
        slopes: tangents of the pixels' elevations [H, W].
    """
    height, width = slopes.shape
    up = np.maximum(slopes, 0.0)
    share = (1.0 / (1.0 + 2.5 * up)).astype(np.float32)[..., None]
    sky = _PALE * share + np.array(air.zenith, np.float32) * (1 - share)
    cover = _noise(air.key, (5, 12), (height, width)) * 0.65 + _noise(air.key + 1, (14, 40), (height, width)) * 0.35
    cloud = ((cover - 0.75 + 0.5 * air.clouds) * 5.0).clip(0.0, 1.0)[..., None]
    sky += (air.cloud * (0.75 + 0.35 * cover[..., None]) - sky) * cloud
    toward = (east * sun[0] + north * sun[1] + slopes * sun[2]) / np.sqrt(1.0 + slopes * slopes)
    sky += (np.float32(400.0 * air.glare) * (toward.clip(0.0, 1.0) ** 12).astype(np.float32))[..., None]
    return np.where((slopes < _skyline(air, width))[..., None], _far(air, height, width), sky)


def grain(
    air: Air, row: NDArray[np.int64], column: NDArray[np.int64], height_m: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Factors on the brightness of upright things, the same wherever a cell of 1.5 m is seen."""
    level = np.floor(height_m / 1.2).astype(np.int64)
    return 1.0 + np.float32(air.grain) * (unit(air.key, row // _GRAIN_PX, column // _GRAIN_PX, level) - 0.5) * 2.0


def _skyline(air: Air, width: int) -> NDArray[np.float64]:
    """Tangents of the far horizon's height in each column [W]."""
    hills = _noise(air.key + 2, (1, 6), (1, width))[0] * 0.7 + _noise(air.key + 3, (1, 64), (1, width))[0] * 0.3
    degrees = air.skyline_deg * (1.6 * hills - 0.4).clip(0.0)
    return np.asarray(np.round(degrees * (0.0174533 * 2.0**20)) * 2.0**-20, np.float64)


def _far(air: Air, height: int, width: int) -> NDArray[np.float32]:
    tone = 0.75 + 0.5 * _noise(air.key + 4, (height // 3, width // 3), (height, width))
    return np.array(air.skyline, np.float32) * tone[..., None]


def _noise(key: int, cells: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float32]:
    """Smooth noise in [0, 1] of so many (rows, columns) over a picture of (height, width); it closes around."""
    rows, columns = cells
    drawn = (unit(key, np.arange(rows)[:, None], np.arange(columns)[None, :]) * 255.0).astype(np.uint8)
    joined = Image.fromarray(np.concatenate([drawn, drawn[:, :1]], axis=1))
    height, width = size
    smooth = joined.resize((width, height), Image.Resampling.BICUBIC, box=(0.5, 0.0, columns + 0.5, float(rows)))
    return np.asarray(smooth, np.float32) / np.float32(255.0)
