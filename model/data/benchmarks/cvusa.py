"""CVUSA, the subset of Zhai et al. 2017: 35,532 + 8,884 pairs over the USA, tile and panorama at one place.

`splits/{train,val}-19zl.csv` lists `satellite,ground,annotation` without a header; a pair's id is the number in the
tile's name. `all.csv`, a download of its own, gives coordinates: the row of a pair is its id - 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from model.common.errors import BadDataset
from model.common.geo import Bounds, LatLon
from model.data.benchmarks.benchmark import Benchmark, Listing, Split
from model.data.benchmarks.coordinates import parse_place
from model.data.benchmarks.folders import ListFile, first_folder, first_place, read_list, require_root, require_unique
from model.data.pairs import PairSet, Query, Reference

__all__ = ["CVUSA"]

_MARKERS = ("bingmap", "streetview", "splits")
_AREA = Bounds(west=-180.0, south=15.0, east=-64.0, north=72.0)
"""The USA with Alaska and Hawaii."""
_COORDINATES = ("split_locations/all.csv", "all.csv")
_ID = re.compile(r"(\d+)\.\w+")


def _read(root: Path, split: str, options: Mapping[str, str]) -> Listing:  # noqa: ARG001
    require_root(root, "cvusa", _MARKERS)
    splits = first_folder(root, ("splits", "splits/splits"), "its splits")
    rows = read_list(splits / f"{split}-19zl.csv")
    folders = {name: first_place(root, (f"{name}/{name}", name)) or root / name for name in _MARKERS[:2]}
    pairs = [_row(line, rows.where(number)) for number, line in rows.lines]
    ids = [_id(satellite, rows.where(number)) for (number, _), (satellite, _) in zip(rows.lines, pairs, strict=True)]
    require_unique((f"pair {id_}", rows.where(number)) for (number, _), id_ in zip(rows.lines, ids, strict=True))
    notes = [*rows.notes, *_layout_notes(root, folders)]
    places = _places(root, ids, notes)
    satellites, grounds = zip(*pairs, strict=True)
    if crossed := sum(Path(a).stem != Path(b).stem for a, b in pairs):
        notes.append(f"{crossed} pairs of {rows.path} join a tile and a panorama of different numbers")
    return Listing(
        PairSet(
            f"cvusa:{split}",
            tuple(Query(_below(folders, name), location=place[1]) for name, place in zip(grounds, places, strict=True)),
            tuple(Reference(_below(folders, name), place[0]) for name, place in zip(satellites, places, strict=True)),
            np.arange(len(pairs)),
        ),
        tuple(notes),
    )


def _row(line: str, where: str) -> tuple[str, str]:
    """(tile, panorama) of a row."""
    satellite, ground, *_ = [part.strip() for part in (*line.split(","), "", "")]
    if not (satellite.startswith("bingmap/") and ground.startswith("streetview/")):
        raise BadDataset(
            f"{where} is {line[:80]!r}; give bingmap/19/NUMBER.jpg,streetview/panos/NUMBER.jpg,... and no header row"
        )
    return satellite, ground


def _id(satellite: str, where: str) -> int:
    match = _ID.fullmatch(Path(satellite).name)
    if match is None:
        raise BadDataset(f"{where} names the tile {satellite!r}; the name must be the pair's number, as 0000023.jpg")
    return int(match[1])


def _below(folders: Mapping[str, Path], name: str) -> Path:
    first, _, rest = name.partition("/")
    return folders[first] / rest


def _layout_notes(root: Path, folders: Mapping[str, Path]) -> list[str]:
    notes = [f"{name}/ holds another {name}/; read there" for name, path in folders.items() if path != root / name]
    if (root / "polarmap").is_dir():
        notes.append("polarmap/ holds tiles after a polar transform; they are not read, bingmap/ is")
    if (root / "gps_dict.pkl").is_file():
        notes.append(
            "gps_dict.pkl is not read: its neighbours come from haversine distances of degrees taken for radians, "
            "and hardly any of them is near"
        )
    return notes


def _places(root: Path, ids: list[int], notes: list[str]) -> list[tuple[LatLon | None, LatLon | None]]:
    """(tile's, panorama's) coordinates of each pair."""
    path = first_place(root, _COORDINATES)
    if path is None:
        notes.append(f"no coordinates: neither {' nor '.join(_COORDINATES)} is there (a separate download)")
        return [(None, None)] * len(ids)
    rows = read_list(path)
    notes += rows.notes
    _place(rows, 1)  # a header would give every pair its neighbour's place, and only pair 1 would show it
    places = [_place(rows, id_) for id_ in ids]
    if _looks_like_minutes([place for both in places for place in both]):
        notes.append(f"no fraction of a degree in {path} reaches .60; are these degrees.minutes (DD.MM)?")
    return list(places)


def _place(rows: ListFile, id_: int) -> tuple[LatLon, LatLon]:
    """Row `id_`, counted from 1: `sat_lat,sat_lon,ground_lat,ground_lon,...`."""
    if not 1 <= id_ <= len(rows.lines):
        raise BadDataset(f"{rows.path} has {len(rows.lines)} rows; pair {id_} needs row {id_}, counted from 1")
    number, line = rows.lines[id_ - 1]
    if number != id_:
        raise BadDataset(f"{rows.path} has {number - id_} empty lines before line {number}; rows count, so remove them")
    values = line.split(",")
    if len(values) < 4:
        raise BadDataset(f"{rows.where(number)} is {line[:80]!r}; give sat_lat,sat_lon,ground_lat,ground_lon,...")
    where = rows.where(number)
    return parse_place(values[0], values[1], _AREA, where), parse_place(values[2], values[3], _AREA, where)


def _looks_like_minutes(places: list[LatLon]) -> bool:
    """Whether minutes stand where decimals should: with 50 places and more this is no accident."""
    fractions = [abs(value) % 1 for place in places for value in (place.lat, place.lon)]
    return len(fractions) >= 100 and max(fractions) < 0.6


CVUSA = Benchmark(
    name="cvusa",
    splits={
        "train": Split("pairs to train on", 35_532, 35_532),
        "val": Split("pairs to evaluate on", 8_884, 8_884),
    },
    markers=_MARKERS,
    read=_read,
    ground_px=(1232, 224),
    satellite_px=750,
    traps=(
        "the panoramas show 360 degrees, but their sky and ground are cut off: 224 of 616 rows, 65 of 180 degrees; "
        "CVACT's are whole, so between the two the vertical scale must be matched (inputs.ground_vertical_deg)",
        "all.csv gives coordinates by position: the row of a pair is its number - 1",
    ),
    options={},
    zoom=19,
    paired=True,
)
"""Panoramas whose centre looks north, at the centres of their tiles."""
