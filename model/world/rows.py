"""The rows of the manifests that the world writes, by name."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from model.geo import LatLon

__all__ = ["ManifestRow", "write_manifest"]


@dataclass(frozen=True)
class ManifestRow:
    """One pair, or a tile without a query (`query` empty); columns as in `model.data.manifest`."""

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


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write a manifest as CSV."""
    names = [one.name for one in fields(ManifestRow)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)
