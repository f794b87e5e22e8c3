"""A sheet to look at: each real panorama beside its own tile and the tiles that an encoder ranks first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.real_pairs import Pair

__all__ = ["save_sheet"]

_HEIGHT_PX, _PANORAMA_PX, _BEST = 160, 880, 3
_RIGHT, _WRONG = (40, 180, 70), (200, 60, 50)


def save_sheet(path: Path, pairs: list[Pair], distractors: list[Path], scores: NDArray[np.float32]) -> None:
    """One row a pair: panorama, own tile, the three best tiles; a green frame marks the right one.

    Args:
        path: of the picture to write.
        pairs: the pairs.
        distractors: further tiles.
        scores: scores[query, tile], the pairs' tiles first.
    """
    tiles = [*(pair.satellite for pair in pairs), *distractors]
    width = _PANORAMA_PX + (_BEST + 1) * (_HEIGHT_PX + 8)
    sheet = Image.new("RGB", (width, len(pairs) * (_HEIGHT_PX + 8)), (255, 255, 255))
    for row, pair in enumerate(pairs):
        top = row * (_HEIGHT_PX + 8)
        sheet.paste(_fitted(pair.street, (_PANORAMA_PX, _HEIGHT_PX)), (0, top))
        best = np.argsort(-scores[row], kind="stable")[:_BEST].tolist()
        for column, tile in enumerate([row, *best]):
            left = _PANORAMA_PX + column * (_HEIGHT_PX + 8) + 8
            sheet.paste(_fitted(tiles[tile], (_HEIGHT_PX, _HEIGHT_PX)), (left, top))
            if column:
                corner = (left + _HEIGHT_PX - 1, top + _HEIGHT_PX - 1)
                frame = _RIGHT if tile == row else _WRONG
                ImageDraw.Draw(sheet).rectangle((left, top, *corner), outline=frame, width=4)
    sheet.save(path)


def _fitted(path: Path, size_px: tuple[int, int]) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB").resize(size_px)
