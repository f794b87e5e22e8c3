"""The named splits of the world benchmark: which worlds and areas they cover, how hard they are, how tiles lie.

Tests are laid out so that every query has one right answer. Cells of `spacing_m` cover an area; a camera stands in a
cell's middle, within `reach_m` of its centre along each axis, and its tile is the cell's. With cells of 75 m, tiles of
100 m and a reach of 25 m, no camera stands inside another cell's tile, though neighbouring tiles share a quarter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from model.errors import BadDataset
from model.world.appearance import Difficulty
from model.world.country import ABROAD
from model.world.places import Area

__all__ = ["CENTRED_MANIFEST", "MANIFESTS", "SPLITS", "TILE_M", "Split", "find_split"]

TILE_M = 100.0
"""Side of a satellite tile in metres, about a Web Mercator tile of zoom 18 at the world's latitude."""

CENTRED_MANIFEST = "centred.csv"
"""Manifest of a split's cameras with tiles centred on them."""

_AREA_STEP_M = 2_500.0
"""Distance of the areas along a row, and of the rows."""


@dataclass(frozen=True)
class Split:
    """One named part of the world benchmark.

    Attributes:
        name: as in `world:NAME`.
        seeds: the worlds it is drawn from.
        places: number of pairs, shared equally among the areas in order.
        areas_per_seed: squares of `area_m` along a row of the plane.
        row: which row of the plane, so that splits of one seed lie kilometres apart.
        spacing_m: side of a cell; each has at most one camera.
        reach_m: how far the camera may stand from its cell's centre, along each axis.
        area_m: side of an area.
        margin: share of its side that a tile's picture shows beyond each edge, for training to shift it.
        query_every: a camera in every n-th cell only; with more than 1, every cell has a tile, camera or not.
        joined: the areas of a seed touch, as one square.
        centred_too: each camera also gets a tile centred on it, in a gallery and manifest of their own.
        difficulty: how the two pictures of a pair differ. An offset of 0, or a margin, centres the tile on the camera.
    """

    name: str
    seeds: tuple[int, ...]
    places: int
    areas_per_seed: int
    row: int = 0
    spacing_m: float = 75.0
    reach_m: float = 25.0
    area_m: float = 1_500.0
    margin: float = 0.0
    query_every: int = 1
    joined: bool = False
    centred_too: bool = False
    difficulty: Difficulty = field(default_factory=Difficulty)

    def areas(self) -> list[Area]:
        """The areas, seeds taking turns; apart so that no tile is in two of them, or joined to one square."""
        corners = [self._corner(number) for number in range(self.areas_per_seed)]
        return [Area(seed, left, bottom, self.area_m) for left, bottom in corners for seed in self.seeds]

    def _corner(self, number: int) -> tuple[float, float]:
        if not self.joined:
            return number * _AREA_STEP_M, self.row * _AREA_STEP_M
        side = round(self.areas_per_seed**0.5)
        return (number % side) * self.area_m, self.row * _AREA_STEP_M + (number // side) * self.area_m

    @property
    def centred(self) -> bool:
        """Whether the tile is centred on the camera, not on the cell."""
        return self.difficulty.offset == 0.0 or self.margin > 0.0


_HOME = tuple(range(1, 17))
_FAR = tuple(range(ABROAD + 101, ABROAD + 112))
_ALL = (
    Split("train", _HOME, 40_000, 2, spacing_m=36.0, reach_m=17.0, margin=0.25),
    Split("val", (101, 102), 1_000, 2),
    Split("same-area", _HOME, 10_000, 2, row=1, centred_too=True),
    Split("cross-area", _FAR, 10_000, 3, centred_too=True),
    Split("cross-area-grid", (ABROAD + 151,), 2_000, 25, spacing_m=50.0, area_m=1_000.0, query_every=4, joined=True),
    Split("calibration", (ABROAD + 161, ABROAD + 162), 1_000, 2),
    Split("smoke", (ABROAD + 191,), 48, 1, area_m=700.0),
)
SPLITS = {split.name: split for split in _ALL}
"""What is rendered, by name."""

MANIFESTS = {
    **{name: (split, "pairs.csv") for name, split in SPLITS.items()},
    **{f"{name}-centre": (split, CENTRED_MANIFEST) for name, split in SPLITS.items() if split.centred_too},
}
"""What can be asked for, by name: a split, and which of its manifests."""


def find_split(name: str) -> tuple[Split, str]:
    """The split that holds the data set `name`, and the manifest that lists it.

    Raises:
        BadDataset: there is no such data set.
    """
    if name not in MANIFESTS:
        raise BadDataset(f"the world has no split {name!r}; choose one of {', '.join(MANIFESTS)}")
    return MANIFESTS[name]
