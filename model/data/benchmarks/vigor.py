"""VIGOR of Zhu et al. 2021: four cities, panoramas anywhere in a grid of tiles that overlap by half.

A label line has 13 fields: the panorama, and four times a tile with its pixel offsets; the first tile is the positive,
the other three cover the place too. Coordinates stand in the names: `ID,LAT,LON,.jpg` and `satellite_LAT_LON.png`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.common.errors import BadDataset
from model.common.geo import Bounds, great_circle_many_m
from model.data.benchmarks.benchmark import Benchmark, Listing, Split
from model.data.benchmarks.coordinates import parse_place
from model.data.benchmarks.folders import ListFile, first_folder, first_place, read_list, require_root, require_unique
from model.data.pairs import PairSet, Query, Reference

__all__ = ["VIGOR"]

_AREAS = {
    "Chicago": Bounds(west=-88.1, south=41.5, east=-87.2, north=42.3),
    "NewYork": Bounds(west=-74.4, south=40.4, east=-73.5, north=41.1),
    "SanFrancisco": Bounds(west=-122.8, south=37.4, east=-122.0, north=38.1),
    "Seattle": Bounds(west=-122.7, south=47.3, east=-121.9, north=47.9),
}
_MARKERS = ("splits", "splits__corrected", "satellite", *_AREAS)
_CORRECTED = "__corrected"
_FIELDS = 13
_HALF_PX = 320
"""Half a tile's side."""
_FAR_M = 60.0
"""Beyond it a panorama does not stand in its tile, which is 64 to 76 m wide."""
_TILE = re.compile(r"satellite_([^_]+)_([^_]+)\.png")


@dataclass(frozen=True)
class _Part:
    """A split: its cities, and the list that each of them has."""

    cities: tuple[str, ...]
    file: str


_PARTS = {
    "same-area-train": _Part(tuple(_AREAS), "same_area_balanced_train"),
    "same-area-test": _Part(tuple(_AREAS), "same_area_balanced_test"),
    "cross-area-train": _Part(("NewYork", "Seattle"), "pano_label_balanced"),
    "cross-area-test": _Part(("Chicago", "SanFrancisco"), "pano_label_balanced"),
}


@dataclass(frozen=True)
class _Label:
    """A panorama, the tile that is its positive, and the three others that cover it, with their offsets."""

    panorama: str
    tiles: tuple[str, str, str, str]
    offsets_px: tuple[tuple[float, float], ...]
    where: str


def _read(root: Path, split: str, options: Mapping[str, str]) -> Listing:
    require_root(root, "vigor", _MARKERS)
    part, corrected = _PARTS[split], options["labels"] == "corrected"
    references: list[Reference] = []
    queries: list[Query] = []
    rows: list[list[int]] = []  # of the four tiles of each query, its positive first
    notes: list[str] = []
    outside = 0
    for city in part.cities:
        lists = _Lists(root, city, part.file, corrected)
        queries += lists.queries()
        rows += lists.rows(first=len(references))
        references += lists.references()
        outside += sum(_lies_outside(offset) for label in lists.labels for offset in label.offsets_px[1:])
        notes += [*lists.tile_list.notes, *lists.label_list.notes]
    require_unique((query.path.name, str(query.path.parent)) for query in queries)
    if outside:
        notes.append(
            f"{outside} of {3 * len(queries)} semi-positives lie more than {_HALF_PX} px off their panorama, so they "
            "do not show its place; kept, as the lists and the published hit rate have them"
        )
    name = f"vigor:{split} ({options['labels']} labels)"
    positives = np.array([first for first, *_ in rows], np.int64)
    pairs = PairSet(name, tuple(queries), tuple(references), positives, tuple(tuple(covering) for _, *covering in rows))
    return Listing(pairs, (*notes, *_far_notes(pairs)))


class _Lists:
    """What the lists of one city say."""

    def __init__(self, root: Path, city: str, file: str, corrected: bool) -> None:
        """Read them.

        Raises:
            BadDataset: one is absent or wrong.
        """
        end, kind = (_CORRECTED, "corrected") if corrected else ("", "original")
        folder = first_folder(root, (f"splits{end}/{city}",), f"the {kind} label lists of {city}")
        labels = first_place(folder, (f"{file}{end}.txt", f"{file}.txt")) or folder / f"{file}{end}.txt"
        # The corrected folder is said to take the place of `splits`, and both hold the same list of tiles.
        tiles = first_place(root, [f"splits{one}/{city}/satellite_list.txt" for one in (end, "")])
        self.root, self.city = root, city
        self.tile_list = read_list(tiles or folder / "satellite_list.txt")
        self.label_list = read_list(labels)
        self.tiles = [line for _, line in self.tile_list.lines]
        require_unique((line, self.tile_list.where(number)) for number, line in self.tile_list.lines)
        self.labels = list(_labels(self.label_list))
        require_unique((label.panorama, label.where) for label in self.labels)

    def references(self) -> Iterator[Reference]:
        """All tiles of the city."""
        folder = first_folder(
            self.root, (f"{self.city}/satellite", f"satellite/{self.city}"), f"the tiles of {self.city}"
        )
        for tile in self.tiles:
            match = _TILE.fullmatch(tile)
            if match is None:
                raise BadDataset(f"{self.tile_list.path} names {tile!r}; tiles are called satellite_LAT_LON.png")
            where = f"{self.tile_list.path}, {tile}"
            yield Reference(folder / tile, parse_place(match[1], match[2], _AREAS[self.city], where))

    def queries(self) -> Iterator[Query]:
        """Its panoramas in the split."""
        folder = first_folder(
            self.root, (f"{self.city}/panorama", f"ground/{self.city}"), f"the panoramas of {self.city}"
        )
        for label in self.labels:
            parts = label.panorama.rsplit(",", 3)
            if len(parts) != 4 or parts[3] != ".jpg":
                raise BadDataset(
                    f"{label.where} names {label.panorama!r}; panoramas are called ID,LAT,LON,.jpg with that last comma"
                )
            yield Query(
                folder / label.panorama, location=parse_place(parts[1], parts[2], _AREAS[self.city], label.where)
            )

    def rows(self, *, first: int) -> Iterator[list[int]]:
        """Rows of each panorama's four tiles, its positive first, in a gallery where the city begins at `first`."""
        row_of = {tile: row for row, tile in enumerate(self.tiles, first)}
        for label in self.labels:
            if unknown := [tile for tile in label.tiles if tile not in row_of]:
                raise BadDataset(
                    f"{label.where} names {unknown[0]}, which is not in {self.tile_list.path}; "
                    "the two lists do not belong together"
                )
            yield [row_of[tile] for tile in label.tiles]


def _labels(rows: ListFile) -> Iterator[_Label]:
    for number, line in rows.lines:
        fields, where = line.split(), rows.where(number)
        if len(fields) != _FIELDS:
            raise BadDataset(f"{where} has {len(fields)} fields; a label has {_FIELDS}: panorama, 4 x (tile dlat dlon)")
        tiles = fields[1], fields[4], fields[7], fields[10]
        if len(set(tiles)) < len(tiles):
            raise BadDataset(f"{where} names a tile twice; a panorama has 4 different ones")
        try:
            offsets_px = tuple((float(fields[n + 1]), float(fields[n + 2])) for n in (1, 4, 7, 10))
        except ValueError as error:
            raise BadDataset(f"{where}: an offset is no number of pixels: {error}") from None
        yield _Label(fields[0], tiles, offsets_px, where)


def _lies_outside(offset_px: tuple[float, float]) -> bool:
    return max(map(abs, offset_px)) > _HALF_PX


def _far_notes(pairs: PairSet) -> Iterator[str]:
    """Whether panoramas stand in their tiles, by the coordinates of both."""
    places = [query.location for query in pairs.queries]
    centres = [pairs.references[row].location for row in pairs.positives]
    ends = np.array([(a.lat, a.lon, b.lat, b.lon) for a, b in zip(places, centres, strict=True) if a and b])
    distances_m = great_circle_many_m(*ends.T)
    if far := int((distances_m > _FAR_M).sum()):
        worst = int(distances_m.argmax())
        yield (
            f"{far} panoramas lie more than {_FAR_M:g} m from their positive tile, the farthest "
            f"{pairs.queries[worst].path.name} by {math.ceil(distances_m[worst]):,} m; are the coordinates right?"
        )


VIGOR = Benchmark(
    name="vigor",
    splits={
        "same-area-train": Split("all four cities, half of the panoramas", 52_609, 90_618),
        "same-area-test": Split("all four cities, the other half", 52_605, 90_618),
        "cross-area-train": Split("New York and Seattle", 51_520, 44_055),
        "cross-area-test": Split("Chicago and San Francisco", 53_694, 46_563),
    },
    markers=_MARKERS,
    read=_read,
    ground_px=(2048, 1024),
    satellite_px=640,
    traps=(
        "panoramas end in a comma before .jpg; a tool that tidies names up breaks them",
        "the gallery is every tile of the split's cities, those without a panorama too",
        "retrieval papers mostly use the original labels, pose papers the corrected ones (labels=corrected); "
        "the files of the corrected lists carry __corrected in their names too",
        "three further tiles cover each panorama; as negatives in training they are false ones",
    ),
    options={"labels": ("original", "corrected")},
    zoom=20,
)
"""Panoramas whose centre looks north, anywhere in the middle of their tiles."""
