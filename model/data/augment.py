"""Augmentation of a pair: changes that keep it a pair, and changes of colour that each sensor could make alone.

A counter-clockwise quarter turn of the tile goes with a roll of the panorama by -W/4; a mirrored tile goes with a
mirrored panorama, whose centre still looks north.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["augment_pair", "jitter_colour", "mirror_pair", "turn_pair"]

_Pixels = NDArray[np.uint8]


def augment_pair(panorama: _Pixels, tile: _Pixels, random: np.random.Generator) -> tuple[_Pixels, _Pixels]:
    """A random turn, mirror and colour of a pair of canvases [H, W, 3], drawn from `random` alone."""
    panorama, tile = turn_pair(panorama, tile, int(random.integers(4)))
    if random.random() < 0.5:
        panorama, tile = mirror_pair(panorama, tile)
    return jitter_colour(panorama, random), jitter_colour(tile, random)


def turn_pair(panorama: _Pixels, tile: _Pixels, quarters: int) -> tuple[_Pixels, _Pixels]:
    """Turn the place counter-clockwise by quarter turns: the tile by pixels, the panorama by columns."""
    width = panorama.shape[1]
    return np.roll(panorama, -quarters * width // 4, axis=1), np.rot90(tile, quarters)


def mirror_pair(panorama: _Pixels, tile: _Pixels) -> tuple[_Pixels, _Pixels]:
    """Swap east and west in both views."""
    return panorama[:, ::-1], tile[:, ::-1]


def jitter_colour(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """Random gain, offset and gamma-like bend for each channel, through one lookup table."""
    gain = (1.0 + 0.2 * (random.random() * 2 - 1)) * (1.0 + 0.08 * (random.random(3) * 2 - 1))
    offset = 14.0 * (random.random() * 2 - 1)
    bend = 0.3 * (random.random() * 2 - 1)
    level = np.arange(256, dtype=np.float64) / 255.0
    curve = level + bend * level * (1.0 - level)
    table = (curve[:, None] * gain * 255.0 + offset).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.stack([table[picture[..., c], c] for c in range(3)], axis=-1))
