"""What every data set becomes: queries, references, and which reference is each query's positive.

Paths and coordinates only. Sampling, augmentation and decoding happen elsewhere, the same for all data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.errors import BadDataset
from model.geo import LatLon

__all__ = ["PairSet", "Query", "Reference"]


@dataclass(frozen=True)
class Query:
    """A street-level picture.

    Attributes:
        path: the picture.
        heading_deg: direction of its centre column, clockwise from north.
        fov_deg: its horizontal angle.
        vertical_deg: its vertical angle; None where a pixel is as high as it is wide.
        location: where it was taken, if known.
    """

    path: Path
    heading_deg: float = 0.0
    fov_deg: float = 360.0
    vertical_deg: float | None = None
    location: LatLon | None = None


@dataclass(frozen=True)
class Reference:
    """A satellite tile.

    Attributes:
        path: the picture.
        location: centre of the tile, if known.
        margin: share of the tile's side that the picture shows beyond the tile on every side, at least 0; with 0.25 the
            picture covers 1.5 x 1.5 tile sides and the tile is its middle.
    """

    path: Path
    location: LatLon | None = None
    margin: float = 0.0


@dataclass(frozen=True)
class PairSet:
    """A data set.

    Attributes:
        name: what to call it in results.
        queries: Q street-level pictures.
        references: R tiles, the gallery; those that are no query's positive are distractors.
        positives: int64 [Q], the row in `references` of each query's positive.
        semi_positives: for each query the rows of other references that cover it too; empty where none are known.

    Raises:
        BadDataset: no queries, a positive or semi-positive that is no row of the gallery, or one that is both.
    """

    name: str
    queries: tuple[Query, ...]
    references: tuple[Reference, ...]
    positives: NDArray[np.int64]
    semi_positives: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.queries:
            raise BadDataset(f"{self.name} holds no pairs; check the manifest or folder it was read from")
        if len(self.positives) != len(self.queries):
            raise BadDataset(f"{self.name} has {len(self.queries)} queries but {len(self.positives)} positives")
        if self.positives.min() < 0 or self.positives.max() >= len(self.references):
            raise BadDataset(
                f"{self.name} names the reference {self.positives.max()} of {len(self.references)}; rows count from 0"
            )
        if self.semi_positives:
            self._check_semi_positives()

    def _check_semi_positives(self) -> None:
        if len(self.semi_positives) != len(self.queries):
            raise BadDataset(
                f"{self.name} has {len(self.queries)} queries but semi-positives for {len(self.semi_positives)}; "
                "give one tuple a query, an empty one where there are none"
            )
        for query, (positive, rows) in enumerate(zip(self.positives.tolist(), self.semi_positives, strict=True)):
            if positive in rows or any(not 0 <= row < len(self.references) for row in rows):
                raise BadDataset(
                    f"{self.name}: query {query} with the positive {positive} has the semi-positives {rows}; "
                    f"give other rows of the {len(self.references)} references"
                )
