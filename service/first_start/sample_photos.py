"""Photos of the demo that the page offers to try: two from inside the region, one from outside of it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from model.common.atomic_io import staged_folder

__all__ = ["lay_samples"]

_CHOSEN = (
    ("region", 2, "1 In this region"),
    ("region", 4, "2 Also in this region"),
    ("elsewhere", 0, "3 Outside of it"),
)
"""Part of the demo, row of its table, and the name that the page shows, after its number."""


def lay_samples(demo: Path) -> Path:
    """Copy three panoramas of the demo into its folder `samples`, once; parts that are not there are left out.

    Args:
        demo: the demo's folder.

    Returns:
        The folder of the samples.
    """
    samples = demo / "samples"
    if samples.is_dir():
        return samples
    with staged_folder(samples) as staged:
        for part, row, name in _CHOSEN:
            if (photo := _panorama(demo / part, row)) is not None:
                shutil.copyfile(photo, staged / f"{name}{photo.suffix}")
    return samples


def _panorama(part: Path, row: int) -> Path | None:
    table = part / "pairs.csv"
    if not table.is_file():
        return None
    with table.open(newline="") as file:
        photos = [line["query"] for line in csv.DictReader(file) if line["query"]]
    return part / photos[row % len(photos)] if photos else None
