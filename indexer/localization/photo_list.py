"""Which photos are asked, and what is said of each: single files, folders, or a table with one row a photo."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from indexer.common.errors import BadPhotos
from indexer.tiles.region import CircleRegion, Region
from model.common.errors import GeoLocalizationError
from model.common.geo import LatLon
from model.common.images import PHOTO_SUFFIXES
from model.common.numbers import parse_number
from model.common.plain_files import require_plain
from model.inputs.photo_view import GivenView

__all__ = ["COLUMNS", "PhotoRequest", "list_photos", "real_path"]

COLUMNS = ("photo", "heading_deg", "fov_deg", "vertical_deg", "near_lat", "near_lon", "radius_m")
"""What a table of photos may hold; only `photo` must be there."""

_ANGLES = ("fov_deg", "vertical_deg")
_PRIOR = ("near_lat", "near_lon", "radius_m")
_POSITIONS = frozenset({"lat", "lon", "latitude", "longitude"})


@dataclass(frozen=True)
class PhotoRequest:
    """One photo to be placed.

    Attributes:
        path: the file.
        given: what the user says of it.
        region: the area to search; None for the whole index.
        around_exif_m: search so many metres around the position that the photo's EXIF has; None leaves that unread.
        under: where a copy of it lies in a folder of copies: as it lay below the folder that was asked for, else by
            its name alone. It makes no difference to the question.
    """

    path: Path
    given: GivenView = field(default_factory=GivenView)
    region: Region | None = None
    around_exif_m: float | None = None
    under: Path = field(default=Path(), compare=False)


def list_photos(sources: Sequence[Path], defaults: PhotoRequest) -> list[PhotoRequest]:
    """Every photo of some files, folders and tables, each question once, in the order given.

    Args:
        sources: pictures; folders, which are searched with all that lies below them; or `.csv` tables with a header
            row, whose paths are relative to them.
        defaults: what is said of a photo where its row does not say otherwise; its path does not matter.

    Raises:
        BadPhotos: nothing was found, a source is missing, or a row of a table cannot be used.
    """
    first: dict[PhotoRequest, PhotoRequest] = {}
    for source in sources:
        for request in _of_source(source, defaults):
            first.setdefault(replace(request, path=real_path(request.path)), request)
    once = list(first.values())
    if not once:
        places = ", ".join(map(str, sources)) or "no source"
        raise BadPhotos(f"{places} holds no photo; photos end in {', '.join(sorted(PHOTO_SUFFIXES))}")
    return once


def real_path(path: Path) -> Path:
    """Where a file lies, links followed; a link that leads round in a circle stays as it is."""
    return Path(os.path.realpath(path))


def _of_source(source: Path, defaults: PhotoRequest) -> Iterator[PhotoRequest]:
    if source.is_dir():
        for path in _below(source):
            yield replace(defaults, path=path, under=path.relative_to(source))
    elif not source.exists():
        raise BadPhotos(f"{source} does not exist; give photos, folders of photos, or a CSV table of photos")
    elif source.suffix.lower() == ".csv":
        yield from _of_table(source, defaults)
    else:
        yield replace(defaults, path=source, under=Path(source.name))


def _below(folder: Path) -> Iterator[Path]:
    """Pictures under a folder by name; links to folders are not followed, so that none leads round in a circle.

    Pipes and devices are passed over: reading one may never end. A broken link is given, to be told.
    """
    for root, folders, files in os.walk(folder):
        folders.sort()
        for path in (Path(root) / name for name in sorted(files)):
            if path.suffix.lower() not in PHOTO_SUFFIXES or path.name.startswith("."):
                continue
            if path.is_file() or not path.exists():
                yield path


def _of_table(table: Path, defaults: PhotoRequest) -> Iterator[PhotoRequest]:
    require_plain(table)
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            _check_header(table, reader.fieldnames or ())
            for row in reader:
                yield _of_row(table, reader.line_num, row, defaults)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadPhotos(f"{table} cannot be read as a UTF-8 CSV table: {error}; save it as CSV UTF-8") from None


def _check_header(table: Path, names: Iterable[str]) -> None:
    names = list(names)
    if unknown := [name for name in names if name not in COLUMNS]:
        hint = "a known position is not used; call it near_lat and near_lon to search around it, or drop it"
        if len(names) == 1 and ";" in names[0]:
            hint = "is it separated by semicolons? Save it with commas"
        elif not _POSITIONS & {name.lower() for name in unknown}:
            hint = f"known columns are {', '.join(COLUMNS)}"
        raise BadPhotos(f"{table} has the unknown columns {', '.join(map(repr, unknown))}; {hint}")
    if "photo" not in names:
        raise BadPhotos(f"{table} has no column 'photo'; its header is {', '.join(names) or 'empty'}")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadPhotos(f"{table} has the column {twice!r} twice; keep one of them")


def _of_row(table: Path, line: int, row: Mapping[str | None, str | None], defaults: PhotoRequest) -> PhotoRequest:
    values = {str(name): text.strip() for name, text in row.items() if isinstance(text, str) and text.strip()}
    try:
        if None in row:
            raise BadPhotos("it has more values than the header has columns")
        if "photo" not in values:
            raise BadPhotos("its photo is empty")
        given = replace(defaults.given, **_angles(values))
        own, path = _region(values), table.parent / values["photo"]
        request = replace(defaults, path=path, given=given, under=_below_table(values["photo"]))
        return request if own is None else replace(request, region=own, around_exif_m=None)
    except (GeoLocalizationError, ValueError) as error:
        raise BadPhotos(f"{table}, line {line}: {error}") from None


def _below_table(name: str) -> Path:
    """Where a table's photo lies below it; one that lies elsewhere counts by its name alone."""
    path = Path(name)
    return Path(path.name) if path.is_absolute() or ".." in path.parts else path


def _angles(values: Mapping[str, str]) -> dict[str, Any]:
    angles: dict[str, Any] = {name: _number(name, values[name]) for name in _ANGLES if name in values}
    heading = values.get("heading_deg")
    if heading is not None:
        angles["heading_deg"] = heading if heading == "unknown" else _number("heading_deg", heading)
    return angles


def _region(values: Mapping[str, str]) -> CircleRegion | None:
    given = [name for name in _PRIOR if name in values]
    if not given:
        return None
    if len(given) < len(_PRIOR):
        raise BadPhotos(f"{', '.join(given)} alone says no area; give near_lat, near_lon and radius_m together")
    lat, lon, radius_m = (_number(name, values[name]) for name in _PRIOR)
    if abs(lat) > 90 >= abs(lon):
        raise BadPhotos(f"near_lat is {lat:g} and near_lon {lon:g}; are the two swapped?")
    return CircleRegion(LatLon(lat, lon), radius_m)


def _number(name: str, text: str) -> float:
    if math.isnan(number := parse_number(text)):
        hint = " (write decimals with a point)" if "," in text else ""
        raise BadPhotos(f"{name} is {text!r}; give a number{hint}")
    return number
