"""University-1652 of Zheng et al. 2020: one tile, 54 drone views and some street pictures of each building.

A folder a building, named by its number, in `train/VIEW` and in `test/query_VIEW` and `test/gallery_VIEW`; a gallery
also holds buildings that no query shows. Coordinates come as KML only, and there are no headings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.common.errors import BadDataset
from model.common.images import IMAGE_SUFFIXES
from model.data.benchmarks.benchmark import Benchmark, Listing, Split
from model.data.benchmarks.folders import names_in, require_root, require_unique
from model.data.pairs import PairSet, Query, Reference

if TYPE_CHECKING:  # loads torch
    from model.inputs.specs import View

__all__ = ["UNIVERSITY"]

_MARKERS = ("train", "test")
_DRONE_VIEWS = 54
"""Of a building: three turns of a spiral around it."""


@dataclass(frozen=True)
class _Part:
    """Folders of the two sides; the side of the tiles is told by its name."""

    query: str
    gallery: str


_PARTS = {
    "train": _Part("train/drone", "train/satellite"),
    "train-street": _Part("train/street", "train/satellite"),
    "train-google": _Part("train/google", "train/satellite"),
    "drone-to-satellite": _Part("test/query_drone", "test/gallery_satellite"),
    "satellite-to-drone": _Part("test/query_satellite", "test/gallery_drone"),
    "street-to-satellite": _Part("test/query_street", "test/gallery_satellite"),
    "satellite-to-street": _Part("test/query_satellite", "test/gallery_street"),
}


def _read(root: Path, split: str, options: Mapping[str, str]) -> Listing:  # noqa: ARG001
    require_root(root, "university", _MARKERS)
    part = _PARTS[split]
    asked, held = _buildings(root / part.query), _buildings(root / part.gallery)
    # A building that its gallery lacks is listed all the same, so that it is found missing with everything else.
    lost = {
        number: (root / part.gallery / f"{number:04d}" / f"{number:04d}.jpg",)
        for number in asked
        if not held.get(number)
    }
    rows: dict[int, tuple[int, ...]] = {}
    references: list[Reference] = []
    for number, pictures in sorted({**held, **lost}.items()):
        rows[number] = tuple(range(len(references), len(references) + len(pictures)))
        references += [Reference(path) for path in pictures]
    labels = [number for number, pictures in asked.items() for _ in pictures]
    more = tuple(rows[number][1:] for number in labels)
    pairs = PairSet(
        f"university:{split}",
        tuple(Query(path) for pictures in asked.values() for path in pictures),
        tuple(references),
        np.array([rows[number][0] for number in labels], np.int64),
        more_positives=more if any(more) else (),
        query_view=_view(part.query),
        reference_view=_view(part.gallery),
    )
    return Listing(pairs, (*_count_notes(part.query, asked), *_count_notes(part.gallery, held)))


def _view(folder: str) -> View:
    return "satellite" if folder.endswith("satellite") else "ground"


def _buildings(folder: Path) -> dict[int, tuple[Path, ...]]:
    """The pictures of each building, in the order of their numbers."""
    if not folder.is_dir():
        raise BadDataset(f"there is no folder {folder}; was the archive unpacked whole?")
    names = names_in(folder)
    if wrong := [name for name in names if not name.isdecimal()]:
        raise BadDataset(
            f"{folder} holds {wrong[0]!r}; it should hold a folder for each building, as 0001, and no more"
        )
    require_unique((f"building {int(name)}", str(folder / name)) for name in names)
    return {int(name): tuple(_pictures(folder / name)) for name in sorted(names, key=int)}


def _pictures(folder: Path) -> Iterator[Path]:
    return (folder / name for name in names_in(folder) if Path(name).suffix.lower() in IMAGE_SUFFIXES)


def _count_notes(part: str, buildings: Mapping[int, tuple[Path, ...]]) -> Iterator[str]:
    counts = {number: len(pictures) for number, pictures in buildings.items()}
    if empty := [number for number, count in counts.items() if count == 0]:
        yield f"{len(empty)} of {len(counts)} buildings in {part} have no picture, first {empty[0]:04d}"
    if part.endswith("satellite") and (more := [number for number, count in counts.items() if count > 1]):
        yield f"{len(more)} of {len(counts)} buildings in {part} have more than one tile, first {more[0]:04d}"
    if part.endswith("drone") and (odd := {n: count for n, count in counts.items() if count not in (0, _DRONE_VIEWS)}):
        number, count = next(iter(odd.items()))
        yield (
            f"{len(odd)} of {len(counts)} buildings in {part} have another number of pictures than {_DRONE_VIEWS}, "
            f"first {number:04d} with {count}"
        )


UNIVERSITY = Benchmark(
    name="university",
    splits={
        "train": Split("drone views and their tiles, to train on", 37_854, 701),
        "train-street": Split("street pictures and their tiles, to train on", 0, 701),
        "train-google": Split("pictures found on the web and their tiles, to train on", 0, 701),
        "drone-to-satellite": Split("drone views ask for their tile", 37_855, 951),
        "satellite-to-drone": Split("tiles ask for all drone views of their building", 701, 51_355),
        "street-to-satellite": Split("street pictures ask for their tile", 2_579, 951),
        "satellite-to-street": Split("tiles ask for all street pictures of their building", 701, 2_921),
    },
    markers=_MARKERS,
    read=_read,
    ground_px=None,
    satellite_px=512,
    traps=(
        "a gallery holds 951 buildings, 250 more than are asked for: many published numbers were measured without them",
        "one building of query_drone has 55 pictures, all others 54",
        "drone and street pictures are no panoramas: they fill the canvas, so use inputs.ground_vertical_deg null",
        "no coordinates and no headings: the flight paths are KML files of their own",
    ),
    options={},
)
"""Pictures from drones and from the street; headings are not known."""
