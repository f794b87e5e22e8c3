"""Photos of a tiny index's tiles, each blended with another picture, so that some are harder to tell than others."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.index.tile_index import TileIndex
from tests.indexer.tiny import LEFT, TOP, picture

ROWS = 3
"""As `build_tiny` and `make_tiles` lay them."""


def write_photos(root: Path, index: TileIndex, *, count: int, seed: int = 0) -> Path:
    """A manifest of photos taken at tile centres; every third shows no tile, and was taken a degree to the north."""
    random = np.random.default_rng(seed)
    root.mkdir()
    lines = [("query", "reference", "lat", "lon", "heading_deg", "vertical_deg")]
    for number in range(count):
        tile = index.tile(int(random.integers(index.count)))
        inside = number % 3 > 0
        shown = (tile.x - LEFT) * ROWS + tile.y - TOP if inside else 1_000 * (seed + 1) + number
        name = f"{number}.png"
        Image.blend(picture(shown), picture(100_000 * (seed + 1) + number), random.random()).save(root / name)
        lines.append((name, name, tile.lat + (not inside), tile.lon, 0, 40))
    with (root / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return root / "pairs.csv"
