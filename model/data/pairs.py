"""What every data set becomes: queries, references, and which references are each query's positives.

Paths and coordinates only. Sampling, augmentation and decoding happen elsewhere, the same for all data sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadDataset
from model.common.geo import LatLon

if TYPE_CHECKING:  # loads torch
    from model.inputs.specs import View

__all__ = ["PairSet", "Query", "Reference"]

_Rows = tuple[tuple[int, ...], ...]


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

    Where a query has several right references, `positives` holds the first of them and `more_positives` the others, so
    that code for one positive a query reads one array and code for any number calls `positive_rows`.

    Attributes:
        name: what to call it in results.
        queries: Q street-level pictures.
        references: R tiles, the gallery; those that are no query's positive are distractors.
        positives: int64 [Q], the row in `references` of each query's positive, or of the first where there are several.
        semi_positives: for each query the rows of other references that cover it too; empty where none are known.
        more_positives: for each query the rows of the further references that are as right; empty where none has any.
        query_view: side of the encoder that reads the queries; `satellite` where tiles ask for street-level pictures.
        reference_view: side that reads the references.
        query_xy_m: float64 [Q, 2], places on the plane map that the data set's own protocol measures distances on; None
            where distances are great circles between the `location`s.
        reference_xy_m: float64 [R, 2], likewise.

    Raises:
        BadDataset: no queries, a positive or semi-positive that is no row of the gallery, one row that is both, or as
            many plane coordinates as there are not pictures.
    """

    name: str
    queries: tuple[Query, ...]
    references: tuple[Reference, ...]
    positives: NDArray[np.int64]
    semi_positives: _Rows = ()
    more_positives: _Rows = ()
    query_view: View = "ground"
    reference_view: View = "satellite"
    query_xy_m: NDArray[np.float64] | None = None
    reference_xy_m: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not self.queries:
            raise BadDataset(f"{self.name} holds no pairs; check the manifest or folder it was read from")
        if len(self.positives) != len(self.queries):
            raise BadDataset(f"{self.name} has {len(self.queries)} queries but {len(self.positives)} positives")
        if self.positives.min() < 0 or self.positives.max() >= len(self.references):
            raise BadDataset(
                f"{self.name} names the reference {self.positives.max()} of {len(self.references)}; rows count from 0"
            )
        for what, rows in (("more positives", self.more_positives), ("semi-positives", self.semi_positives)):
            if rows and len(rows) != len(self.queries):
                raise BadDataset(
                    f"{self.name} has {len(self.queries)} queries but {what} for {len(rows)}; "
                    "give one tuple a query, an empty one where there are none"
                )
        if self.semi_positives or self.more_positives:
            self._check_further_rows()
        self._check_plane()

    def positive_rows(self) -> Iterator[NDArray[np.int64]]:
        """For each query the rows, int64 [1 or more], of all references that are right."""
        for query, first in enumerate(self.positives.tolist()):
            yield np.array((first, *(self.more_positives[query] if self.more_positives else ())), np.int64)

    def _check_further_rows(self) -> None:
        nothing: _Rows = ((),) * len(self.queries)
        lists = zip(
            self.positives.tolist(), self.more_positives or nothing, self.semi_positives or nothing, strict=True
        )
        for query, (first, more, semi) in enumerate(lists):
            for what, rows, taken in (
                ("more positives", more, {first}),
                ("semi-positives", semi, {first, *more}),
            ):
                if not taken.isdisjoint(rows) or any(not 0 <= row < len(self.references) for row in rows):
                    raise BadDataset(
                        f"{self.name}: query {query} with the positive {first} has the {what} {rows}; "
                        f"give other rows of the {len(self.references)} references"
                    )

    def _check_plane(self) -> None:
        for items, places in ((self.queries, self.query_xy_m), (self.references, self.reference_xy_m)):
            if places is not None and places.shape != (len(items), 2):
                raise BadDataset(
                    f"{self.name} has plane coordinates of the shape {places.shape} for {len(items)} pictures; "
                    "give two numbers for each"
                )
