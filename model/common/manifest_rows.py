"""A row of a manifest, whose fields are the columns that `model.data.manifest` knows, and writing such rows as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from model.common.geo import LatLon

__all__ = ["COLUMNS", "NUMBERS", "ManifestRow", "write_manifest"]


@dataclass(frozen=True)
class ManifestRow:
    """One pair, or a tile without a query (`query` empty).

    Attributes:
        query: path of the street-level picture, relative to the manifest; likewise reference, the tile's.
        lat: where the query was taken, in degrees; likewise lon.
        reference_lat: centre of the tile, in degrees; likewise reference_lon.
        heading_deg: direction of the query's centre column, clockwise from north.
        fov_deg: horizontal angle of the query.
        vertical_deg: vertical angle of the query; None where its pixels are as high as they are wide.
        reference_margin: share of the tile's side that its picture shows beyond it on every side.
        semi_positives: other references of the manifest that cover the query too, separated by `;`.
    """

    query: str
    reference: str
    lat: float | None
    lon: float | None
    reference_lat: float
    reference_lon: float
    heading_deg: float | None
    fov_deg: float | None
    vertical_deg: float | None
    reference_margin: float = 0.0
    semi_positives: str = ""

    @classmethod
    def pair(
        cls,
        query: str,
        reference: str,
        camera: LatLon,
        centre: LatLon,
        *,
        vertical_deg: float | None = None,
        margin: float = 0.0,
    ) -> ManifestRow:
        """A north-aligned panorama of 360 degrees and its tile."""
        place = (camera.lat, camera.lon, centre.lat, centre.lon)
        return cls(query, reference, *place, 0.0, 360.0, vertical_deg, margin)

    @classmethod
    def tile(cls, reference: str, centre: LatLon, margin: float = 0.0) -> ManifestRow:
        """A tile that no query shows."""
        return cls("", reference, None, None, centre.lat, centre.lon, None, None, None, margin)

    def without_query(self) -> ManifestRow:
        """The tile alone."""
        return self.tile(self.reference, LatLon(self.reference_lat, self.reference_lon), self.reference_margin)

    @property
    def camera(self) -> LatLon | None:
        """Where the query was taken."""
        return None if self.lat is None or self.lon is None else LatLon(self.lat, self.lon)


COLUMNS = tuple(one.name for one in fields(ManifestRow))
"""Every column that a manifest may have, in the order in which this project writes them."""
NUMBERS = tuple(name for name in COLUMNS if name not in ("query", "reference", "semi_positives"))
"""Those that hold a number."""


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write a manifest with all columns as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(row, name) for name in COLUMNS] for row in rows)
