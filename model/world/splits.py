"""The named splits of the world data set: which worlds and areas they cover, and how hard they are.

No two splits share a seed, so a test place was never seen in training, nor its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from model.errors import BadDataset
from model.world.appearance import Difficulty
from model.world.places import Area

__all__ = ["SPLITS", "TILE_M", "Split", "find_split"]

TILE_M = 100.0
"""Side of a satellite tile in metres, about a Web Mercator tile of zoom 18 at the world's latitude."""


@dataclass(frozen=True)
class Split:
    """One named part of the world data set.

    Attributes:
        name: as in `world:NAME`.
        seeds: the worlds it is drawn from.
        places: number of pairs, shared equally among the seeds' areas in order.
        areas_per_seed: squares of `area_m` along a row of the plane.
        spacing_m: mean distance of neighbouring places.
        area_m: side of an area.
        difficulty: how the two pictures of a pair differ.
    """

    name: str
    seeds: tuple[int, ...]
    places: int
    areas_per_seed: int
    spacing_m: float
    area_m: float = 800.0
    difficulty: Difficulty = field(default_factory=Difficulty)

    def areas(self) -> list[Area]:
        """The areas, seeds taking turns, 2 km apart so that no tile is in two of them."""
        return [
            Area(seed, number * 2000.0, seed % 7 * 900.0, self.area_m)
            for number in range(self.areas_per_seed)
            for seed in self.seeds
        ]


_ALL = (
    Split("train", tuple(range(1, 13)), 20_000, 4, 32.0),
    Split("val", (101, 102), 1_000, 2, 40.0),
    Split("test", (201, 202, 203, 204), 1_000, 1, 40.0),
    Split("test-10k", tuple(range(301, 311)), 10_000, 3, 36.0),
    Split("smoke", (401,), 48, 1, 50.0),
)
SPLITS = {split.name: split for split in _ALL}


def find_split(name: str) -> Split:
    """The split `name`.

    Raises:
        BadDataset: there is no such split.
    """
    if name not in SPLITS:
        raise BadDataset(f"the world has no split {name!r}; choose one of {', '.join(SPLITS)}")
    return SPLITS[name]
