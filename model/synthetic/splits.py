"""The named splits of the world benchmark: which worlds and areas they cover, how hard they are, how tiles lie.

Tests are laid out so that every query has one right answer. Cells of `spacing_m` cover an area; a camera stands in a
cell's middle, within the offset of its centre along each axis, and its tile is the cell's. With cells of 75 m, tiles of
100 m and offsets of 25 m, no camera stands inside another cell's tile, though neighbouring tiles share a quarter. The
areas of a split lie apart on the plane, whatever their worlds, so coordinates tell all its places apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from model.common.errors import BadDataset
from model.synthetic.appearance import Difficulty
from model.synthetic.cameras import Area
from model.synthetic.country import ABROAD, OPEN

__all__ = ["CENTRED_MANIFEST", "MANIFESTS", "SPLITS", "TILE_M", "Split", "find_split"]

TILE_M = 100.0
"""Side of a satellite tile in metres, about a Web Mercator tile of zoom 18 at the world's latitude."""

CENTRED_MANIFEST = "centred.csv"
"""Manifest of a split's cameras with tiles centred on them."""

_AREA_STEP_M = 3_000.0
"""Distance of the areas along a row, and of the rows."""
_AREAS_A_ROW = 8


@dataclass(frozen=True)
class Split:
    """One named part of the world benchmark.

    Attributes:
        name: as in `world:NAME`.
        seeds: the worlds it is drawn from.
        places: number of pairs, filled from the areas in order; the last ones may give fewer.
        areas_per_seed: squares of `area_m` along a row of the plane.
        row: first row of the plane's areas, so that splits of one world lie more than a kilometre apart.
        spacing_m: side of a cell; each has at most one camera.
        area_m: side of an area.
        margin: share of its side that a tile's picture shows beyond each edge, for training to shift it; the tile is
            then centred on the camera, which stands anywhere in its cell.
        query_every: a camera in every n-th cell only; with more than 1, every cell has a tile, camera or not.
        joined: the areas of a seed touch, as one square.
        spare: cameras sought in each area, in percent of its even share, since some areas have few free places.
        centred_too: each camera also gets a tile centred on it, in a gallery and manifest of their own.
        difficulty: how the two pictures of a pair differ.
    """

    name: str
    seeds: tuple[int, ...]
    places: int
    areas_per_seed: int
    row: int = 0
    spacing_m: float = 75.0
    area_m: float = 1_500.0
    margin: float = 0.0
    query_every: int = 1
    joined: bool = False
    spare: int = 108
    centred_too: bool = False
    difficulty: Difficulty = field(default_factory=Difficulty)

    def areas(self) -> list[Area]:
        """The areas, seeds taking turns; apart so that no tile is in two of them, or joined to one square."""
        seeds = [seed for _ in range(self.areas_per_seed) for seed in self.seeds]
        return [Area(seed, *self._corner(number), self.area_m) for number, seed in enumerate(seeds)]

    def _corner(self, number: int) -> tuple[float, float]:
        if self.joined:
            side = round(self.areas_per_seed**0.5)
            return number % side * self.area_m, number // side * self.area_m
        column, row = number % _AREAS_A_ROW, self.row + number // _AREAS_A_ROW
        return (column - _AREAS_A_ROW / 2) * _AREA_STEP_M, (row - _AREAS_A_ROW / 2) * _AREA_STEP_M

    @property
    def centred(self) -> bool:
        """Whether the tile is centred on the camera, not on the cell."""
        return self.margin > 0.0

    @property
    def reach_m(self) -> float:
        """How far a camera may stand from its cell's centre, along each axis."""
        return 0.475 * self.spacing_m if self.centred else self.difficulty.offset * TILE_M

    @property
    def overlap_m(self) -> float:
        """How far along an axis a tile may be centred from a camera and show it, shifted within its margin or not."""
        return TILE_M * (0.5 + self.margin)


_HOME = tuple(range(1, 17))
_MORE = tuple(range(17, 33))
_FURTHER = tuple(range(51, 75))
_FAR = tuple(range(ABROAD + 101, ABROAD + 112))
_HOME_AND_OPEN, _MORE_OF_BOTH = (
    tuple(
        seed
        for pair in zip(_HOME[begin : begin + 8], range(OPEN + begin, OPEN + begin + 8), strict=True)
        for seed in pair
    )
    for begin in (0, 8)
)
_WIDEST = tuple(seed for pair in zip(range(33, 47), range(OPEN + 16, OPEN + 30), strict=True) for seed in pair)
_WIDE = Difficulty(change=0.0, tilt_deg=3.0, air=1.0)
_ALL = (
    Split("train", _HOME, 40_000, 2, spacing_m=36.0, margin=0.25),
    Split("train-small", _HOME, 10_000, 1, spacing_m=36.0, margin=0.25),
    Split("train-more", _MORE, 10_000, 1, spacing_m=36.0, margin=0.25),
    Split("train-further", _FURTHER, 12_000, 1, spacing_m=36.0, area_m=1_000.0, margin=0.25, spare=120),
    Split(
        "train-wide", _HOME_AND_OPEN, 6_300, 1, spacing_m=25.0, area_m=900.0, margin=0.5, spare=120, difficulty=_WIDE
    ),
    Split(
        "train-wider", _MORE_OF_BOTH, 6_300, 1, spacing_m=25.0, area_m=900.0, margin=0.5, spare=120, difficulty=_WIDE
    ),
    Split("train-widest", _WIDEST, 6_300, 1, spacing_m=25.0, area_m=900.0, margin=0.5, spare=120, difficulty=_WIDE),
    Split("val", (101, 102), 1_000, 2),
    Split("val-wide", (103, OPEN + 30), 120, 1, spacing_m=50.0, area_m=600.0, spare=150, difficulty=_WIDE),
    Split("same-area", _HOME, 10_000, 2, row=4, centred_too=True),
    Split("cross-area", _FAR, 10_000, 3, centred_too=True),
    Split("cross-area-grid", (ABROAD + 151,), 2_000, 25, spacing_m=50.0, area_m=1_000.0, query_every=3, joined=True),
    Split("calibration", (ABROAD + 161, ABROAD + 162), 1_000, 2),
    Split("smoke", (ABROAD + 191,), 48, 1, area_m=700.0),
    Split("replay", _HOME_AND_OPEN, 800, 1, spacing_m=25.0, area_m=500.0, margin=0.5, spare=160, difficulty=_WIDE),
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
