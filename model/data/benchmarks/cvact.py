"""CVACT of Liu and Li 2019: Canberra, 35,532 + 8,884 pairs for training and validation, 92,802 to test on.

`ACT_data.mat` names all panoramas (`panoIds`), their UTM coordinates (`utm`, zone 55 south) and the members of each
split as indices that count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadDataset
from model.common.geo import Bounds, LatLon
from model.data.benchmarks.benchmark import Benchmark, Listing, Split
from model.data.benchmarks.folders import names_in, require_root, require_unique
from model.data.benchmarks.utm import utm_to_lat_lon
from model.data.pairs import PairSet, Query, Reference

__all__ = ["CVACT"]

_MAT = "ACT_data.mat"
_MARKERS = (_MAT, "ANU_data_small", "ANU_data_test")
_GROUND, _SATELLITE = "streetview", "satview_polish"
_GROUND_END, _SATELLITE_END = "_grdView.jpg", "_satView_polish.jpg"
_UTM_ZONE = 55
_AREA = Bounds(west=148.0, south=-36.5, east=150.5, north=-34.5)
"""Canberra and around."""


@dataclass(frozen=True)
class _Part:
    """Where a split's pictures lie, and where its indices stand in the .mat file."""

    folder: str
    struct: str
    field: str


_PARTS = {
    "train": _Part("ANU_data_small", "trainSet", "trainInd"),
    "val": _Part("ANU_data_small", "valSet", "valInd"),
    "test": _Part("ANU_data_test", "valSetAll", "valInd"),
}


def _read(root: Path, split: str, options: Mapping[str, str]) -> Listing:  # noqa: ARG001
    require_root(root, "cvact", _MARKERS)
    part, mat = _PARTS[split], root / _MAT
    notes = _folder_notes(root / part.folder)
    if mat.is_file():
        ids, xy_m = _members(mat, part)
    elif split == "test":
        ids, xy_m = _paired_files(root / part.folder, notes), None
    else:
        raise BadDataset(f"there is no {mat}, which says which pairs belong to {split}; copy it there")
    places = _places(xy_m, len(ids), notes)
    folder = root / part.folder
    pairs = PairSet(
        f"cvact:{split}",
        tuple(
            Query(folder / _GROUND / f"{id_}{_GROUND_END}", location=place)
            for id_, place in zip(ids, places, strict=True)
        ),
        tuple(
            Reference(folder / _SATELLITE / f"{id_}{_SATELLITE_END}", place)
            for id_, place in zip(ids, places, strict=True)
        ),
        np.arange(len(ids)),
        query_xy_m=xy_m,
        reference_xy_m=xy_m,
    )
    return Listing(pairs, tuple(notes))


def _members(mat: Path, part: _Part) -> tuple[list[str], NDArray[np.float64]]:
    """Ids and UTM coordinates [N, 2] of a split."""
    content = _load(mat)
    names = [str(name).strip() for name in np.asarray(_entry(content, mat, "panoIds")).reshape(-1)]
    utm_m = np.asarray(_entry(content, mat, "utm"), np.float64)
    if utm_m.shape != (len(names), 2) or not np.isfinite(utm_m).all():
        raise BadDataset(
            f"{mat}: utm has the shape {utm_m.shape} for {len(names)} panoIds; give two finite metres each"
        )
    numbers = np.asarray(_entry(content, mat, part.struct, part.field)).reshape(-1).astype(np.int64)
    if not len(numbers) or numbers.min() < 1 or numbers.max() > len(names):
        span = f"from {numbers.min()} to {numbers.max()}" if len(numbers) else "none"
        raise BadDataset(
            f"{mat}: the indices of {part.struct}.{part.field} run {span}; they count the {len(names)} panoIds from 1"
        )
    ids = [names[number - 1] for number in numbers]
    require_unique((id_, f"{mat}, {part.struct}, entry {entry}") for entry, id_ in enumerate(ids, 1))
    return ids, utm_m[numbers - 1]


def _load(mat: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        content: dict[str, Any] = loadmat(mat, simplify_cells=True)
    except Exception as error:  # a damaged file may raise anything
        raise BadDataset(f"{mat} cannot be read as a MATLAB file: {error}; copy it again") from error
    return content


def _entry(content: Mapping[str, Any], mat: Path, *keys: str) -> Any:
    value: Any = content
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            raise BadDataset(f"{mat} has no {'.'.join(keys)}; is this the file that comes with CVACT?")
        value = value[key]
    return value


def _paired_files(folder: Path, notes: list[str]) -> list[str]:
    """Ids for which both pictures are there: the test split where nothing else says what belongs to it."""
    grounds = _ids(folder / _GROUND, _GROUND_END)
    satellites = _ids(folder / _SATELLITE, _SATELLITE_END)
    notes.append(f"there is no {_MAT}: the pairs are what the folders hold, without coordinates")
    if odd := grounds ^ satellites:
        notes.append(f"{len(odd)} pictures in {folder} lack their other view, first {min(odd)}; left out")
    if not grounds & satellites:
        raise BadDataset(f"{folder} holds no pair of {_GROUND}/ID{_GROUND_END} and {_SATELLITE}/ID{_SATELLITE_END}")
    return sorted(grounds & satellites)


def _ids(folder: Path, end: str) -> set[str]:
    return {name.removesuffix(end) for name in names_in(folder) if name.endswith(end)}


def _places(xy_m: NDArray[np.float64] | None, count: int, notes: list[str]) -> Sequence[LatLon | None]:
    """Coordinates of all pairs; which column of `utm` is the easting shows in its size, 700 km against 6,090 km."""
    if xy_m is None:
        return [None] * count
    easting_m, northing_m = xy_m.min(axis=1), xy_m.max(axis=1)
    lat, lon = utm_to_lat_lon(easting_m, northing_m, zone=_UTM_ZONE, south=True)
    inside = (_AREA.south <= lat) & (lat <= _AREA.north) & (_AREA.west <= lon) & (lon <= _AREA.east)
    if not inside.all():
        notes.append(
            f"utm puts {count - inside.sum()} of {count} places outside Canberra (zone {_UTM_ZONE} south), first "
            f"{xy_m[~inside][0].tolist()}; they keep their metres and have no latitude and longitude"
        )
    return [
        LatLon(*place) if known else None
        for *place, known in zip(lat.tolist(), lon.tolist(), inside.tolist(), strict=True)
    ]


def _folder_notes(folder: Path) -> list[str]:
    notes = []
    if raw := [name for name in names_in(folder) if (folder / name / f"{name}_zoom_2.jpg").is_file()]:
        notes.append(
            f"{len(raw)} panoramas lie in {folder} as ID/ID_zoom_2.jpg, the raw download; "
            f"they are read as {_GROUND}/ID{_GROUND_END}"
        )
    if (folder / "polarmap").is_dir():
        notes.append(f"{folder / 'polarmap'} holds tiles after a polar transform; they are not read")
    return notes


CVACT = Benchmark(
    name="cvact",
    splits={
        "train": Split("pairs to train on", 35_532, 35_532),
        "val": Split("pairs to evaluate on", 8_884, 8_884),
        "test": Split("the large test, which contains val", 92_802, 92_802),
    },
    markers=_MARKERS,
    read=_read,
    ground_px=(1664, 832),
    satellite_px=1200,
    traps=(
        f"the indices in {_MAT} count from 1",
        "public code differs in the height it shows: OriCNN and TransGeo keep the middle half of the panorama, "
        "Sample4Geo squeezes all of it; here inputs.ground_vertical_deg decides, null being the whole",
        "test is judged by id in some papers, within 5 m in others",
    ),
    options={},
    zoom=20,
    paired=True,
)
"""Panoramas whose centre looks north, at the centres of their tiles."""
