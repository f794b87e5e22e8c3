"""Coarse files among fine ones and grey ones among coloured ones are named; what belongs together is not."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from indexer.tiles.sources.colours import Colours
from indexer.tiles.sources.likeness import unlike_files

RGB, GREY = Colours((1, 2, 3)), Colours((1, 1, 1))


def files(*kinds: tuple[float, Colours]) -> list[Any]:
    return [
        SimpleNamespace(name=f"{number}.tif", mercator_res_m=pixel_m, colours=colours)
        for number, (pixel_m, colours) in enumerate(kinds)
    ]


def test_files_that_are_alike_are_not_remarked_on() -> None:
    assert unlike_files(files((1.0, RGB), (1.9, RGB), (0.9, RGB))) == []
    assert unlike_files(files((1.0, GREY), (1.0, GREY))) == []
    assert unlike_files(files((1.0, RGB), (1.0, Colours((1, 1, 1), palette=np.zeros((2, 4), np.uint8))))) == []
    assert unlike_files(files((9.0, GREY))) == []


def test_a_coarse_one_and_a_grey_one_are() -> None:
    (remark,) = unlike_files(files((1.0, RGB), (10.0, RGB), (8.0, RGB)))
    assert remark.startswith("warning: 1.tif, like 1 more, has pixels 10 times those of 0.tif")
    (remark,) = unlike_files(files((1.0, RGB), (1.0, GREY)))
    assert remark.startswith("warning: 1.tif is grey and others are coloured")
