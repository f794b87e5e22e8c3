"""How pairs are made of photos and tiles: sizes, limits, and how the photos are divided."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from indexer.common.errors import BadPhotos
from model.common.flags import Option
from model.common.specs import Wanted, spec

__all__ = ["PairsSpec", "SplitSpec"]

_Share = Annotated[float, Gt(0), Lt(0.5), Wanted("a share above 0 and below 0.5")]


@spec(error=BadPhotos)
class SplitSpec:
    """How photos are divided.

    Attributes:
        test_share: about which share of the photos to test with.
        val_share: about which share to watch training by.
        between_m: least distance between photos of different parts.
        seed: of the areas.
    """

    test_share: Annotated[_Share, Option("about which share of the photos to test with", "SHARE")] = 0.15
    val_share: Annotated[_Share, Option("about which share to watch training by", "SHARE")] = 0.15
    between_m: Annotated[
        float, Ge(0), Le(1e6), Wanted("metres"), Option("least distance between photos of different parts", "M")
    ] = 200.0
    seed: Annotated[int, Ge(0), Option("of the areas", "N")] = 0


@spec(error=BadPhotos)
class PairsSpec:
    """How pairs are made.

    Attributes:
        margin: share of a tile's side that a training picture shows beyond it on every side.
        side_px: most pixels along a tile's side; finer imagery is made smaller.
        photo_px: pixels of 360 degrees in a photo's picture.
        apart_m: of photos nearer to each other than this that look the same way, the first is taken.
        accuracy_m: error that a photo may state for its position.
        split: how the photos are divided.
    """

    margin: Annotated[
        float, Ge(0), Le(1), Wanted("a share in [0, 1]"), Option("ground beyond a training tile, in its sides", "SHARE")
    ] = 0.5
    side_px: Annotated[
        int, Ge(32), Le(1024), Wanted("32 to 1024 pixels"), Option("most pixels along a tile's side", "PX")
    ] = 256
    photo_px: Annotated[
        int, Ge(128), Le(8192), Wanted("128 to 8192 pixels"), Option("pixels of 360 degrees in a photo's picture", "PX")
    ] = 1024
    apart_m: Annotated[
        float, Ge(0), Le(1000), Wanted("metres"), Option("least distance of photos that look the same way", "M")
    ] = 3.0
    accuracy_m: Annotated[
        float, Ge(0), Wanted("metres"), Option("greatest error that a photo may state for its position", "M")
    ] = 20.0
    split: SplitSpec = field(default_factory=SplitSpec)
