"""Randomness as a function of position: integer hashes and lattice noise, the same on every machine.

Only wrapping integer arithmetic and exactly rounded float operations are used, so no processor sees another world.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["hash_u32", "lattice_noise", "unit"]

_GOLDEN = np.uint32(0x9E3779B1)
_MIX_A = np.uint32(0x85EBCA6B)
_MIX_B = np.uint32(0xC2B2AE35)


def hash_u32(seed: int, *keys: ArrayLike) -> NDArray[np.uint32]:
    """Mix a seed with integer keys (broadcast together; negative ones wrap) into uniform uint32.

    The mixing step is the 32-bit finalizer of MurmurHash3.
    """
    value = np.array([seed & 0xFFFFFFFF], np.uint32)
    for key in keys:
        wrapped = np.asarray(key).astype(np.int64).astype(np.uint32)
        value = _mix((value ^ wrapped * _GOLDEN) + _GOLDEN)
    return value


def unit(seed: int, *keys: ArrayLike) -> NDArray[np.float32]:
    """Uniform numbers in [0, 1) from a seed and integer keys."""
    result: NDArray[np.float32] = (hash_u32(seed, *keys) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
    return result


def lattice_noise(seed: int, x_m: NDArray[np.float64], y_m: NDArray[np.float64], cell_m: float) -> NDArray[np.float32]:
    """Smooth noise in [0, 1) on the grid of the axes `x_m` [W] and `y_m` [H]; returns [H, W].

    Values are drawn on a square lattice of side `cell_m` and joined by a smoothstep.
    """
    column, across = _cells(x_m, cell_m)
    row, down = _cells(y_m, cell_m)
    columns = np.arange(column.min(), column.max() + 2)
    rows = np.arange(row.min(), row.max() + 2)
    lattice = unit(seed, rows[:, None], columns[None, :])
    top, left = row - rows[0], column - columns[0]
    lines = lattice[top] * (1 - down[:, None]) + lattice[top + 1] * down[:, None]
    noise: NDArray[np.float32] = lines[:, left] * (1 - across) + lines[:, left + 1] * across
    return noise


def _cells(axis_m: NDArray[np.float64], cell_m: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    scaled = axis_m / cell_m
    cell = np.floor(scaled)
    fraction = (scaled - cell).astype(np.float32)
    return cell.astype(np.int64), fraction * fraction * (3 - 2 * fraction)


def _mix(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    value = (value ^ (value >> np.uint32(16))) * _MIX_A
    value = (value ^ (value >> np.uint32(13))) * _MIX_B
    return value ^ (value >> np.uint32(16))
