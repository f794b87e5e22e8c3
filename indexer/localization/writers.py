"""Answers to many photos as CSV, GeoJSON, GeoPackage or JSON lines; each file appears whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np

from indexer.common.errors import BadQuery
from indexer.common.optional import load_pyogrio
from indexer.localization.answer import Localization
from indexer.localization.photo_answer import FIELDS, PhotoAnswer
from model.common.atomic_io import refuse_existing, staged_file
from model.inputs.photo_view import ResolvedView

__all__ = ["FORMATS", "AnswerWriter", "TableWriter", "check_output", "open_writer"]

FORMATS = ("json", "csv", "geojson", "gpkg")
"""One JSON object a line; a table; points of RFC 7946; a GeoPackage layer `photos`."""

_DOUBTFUL = 0.5
"""Confidence below which an answer is more probably wrong than right."""


class AnswerWriter(Protocol):
    """Takes answers one by one."""

    def add(self, answer: PhotoAnswer) -> None:
        """Write one, or keep it until the end."""


def check_output(form: str, out: Path | None, *, overwrite: bool = False) -> None:
    """Make sure, before the work, that a file can be written after it.

    Args:
        form: one of `FORMATS`.
        out: the file; a GeoPackage needs one.
        overwrite: replace a file that is there.

    Raises:
        BadQuery: a GeoPackage without a file.
        OutputExists: `out` is there already, or is a folder.
        BadConfig: `out` would lie inside a file.
        MissingExtra: a GeoPackage, and pyogrio is not installed.
    """
    if form == "gpkg":
        load_pyogrio()
        if out is None:
            raise BadQuery("a GeoPackage is a file; name it with --out FILE.gpkg")
    if out is not None and not (overwrite and out.is_file()):
        refuse_existing(out)


@contextmanager
def open_writer(form: str, out: Path | None, stdout: TextIO, *, overwrite: bool = False) -> Iterator[AnswerWriter]:
    """A writer to a file, which appears when the block ends well; or, without `out`, to the standard output.

    Args:
        form: one of `FORMATS`.
        out: the file; a GeoPackage needs one.
        stdout: the stream taken where there is no file.
        overwrite: replace a file that is there.

    Raises:
        GeoLocalizationError: as `check_output`.
    """
    check_output(form, out, overwrite=overwrite)
    if out is None:
        writer = _TEXT_WRITERS[form](stdout)
        yield writer
        writer.finish()
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with staged_file(out) as staged:
        if form == "gpkg":
            package = _GeoPackage()
            yield package
            package.save(staged)
            return
        with staged.open("w", newline="", encoding="utf-8") as file:
            text_writer = _TEXT_WRITERS[form](file)
            yield text_writer
            text_writer.finish()


class TableWriter:
    """A few lines a photo, for people: how sure first, then where."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def add(self, answer: PhotoAnswer) -> None:
        """Write one."""
        if answer.found is None:
            self._write(f"{answer.name}: no answer: {answer.error}")
            return
        found, view = answer.found, answer.found.view
        self._write(f"{answer.name}: {_verdict(found)}")
        for one in answer.together:
            self._write(f"  {one.photo.name}: {_looks(one.view, one.heading_deg)}")
        if not answer.together:
            self._write(f"  {_looks(view, found.matches[0].heading_deg)}")
        for match in found.matches:
            place = f"{match.tile.lat:.5f}, {match.tile.lon:.5f}"
            self._write(f"  {match.rank:3}  score {match.score:.3f}  {place}  tile {match.tile.dated_name}")
        for warning in found.warnings:
            self._write(f"  warning: {warning}")


def _looks(view: ResolvedView, heading_deg: float) -> str:
    source = "found by trying all" if view.heading_deg is None else f"from: {view.heading_source}"
    angle = f"field of view {view.fov_deg:.0f} degrees (from: {view.fov_source})"
    return f"heading {heading_deg:.0f} degrees ({source}), {angle}"


def _verdict(found: Localization) -> str:
    """How sure, and where: the fewer digits the less is known."""
    position = found.position
    near = f"{position.centre.lat:.5f}, {position.centre.lon:.5f}"
    if position.confidence is None:
        return f"confidence unknown ({position.no_confidence_because}); best guess {near}"
    within = f"within {position.confidence_radius_m:g} m"
    if position.confidence < _DOUBTFUL:
        return f"not found: only {position.confidence:.0%} sure {within} of the best guess, {near}"
    return f"{near}, {position.confidence:.0%} sure {within}"


class _JsonLines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, answer: PhotoAnswer) -> None:
        self._stream.write(json.dumps(answer.as_json(), ensure_ascii=False, allow_nan=False) + "\n")
        self._stream.flush()

    def finish(self) -> None:
        """Nothing is left to write."""


class _Csv:
    def __init__(self, stream: TextIO) -> None:
        self._rows = csv.DictWriter(stream, list(FIELDS), lineterminator="\n")
        self._rows.writeheader()

    def add(self, answer: PhotoAnswer) -> None:
        self._rows.writerow(answer.row())

    def finish(self) -> None:
        """Nothing is left to write."""


class _GeoJson:
    def __init__(self, stream: TextIO) -> None:
        self._stream, self._between = stream, ""
        stream.write('{"type": "FeatureCollection", "features": [')

    def add(self, answer: PhotoAnswer) -> None:
        properties = answer.row()
        lat, lon = properties.pop("lat"), properties.pop("lon")
        point = None if lat is None else {"type": "Point", "coordinates": [lon, lat]}
        feature = {"type": "Feature", "geometry": point, "properties": properties}
        self._stream.write(f"{self._between}\n{json.dumps(feature, ensure_ascii=False, allow_nan=False)}")
        self._between = ","

    def finish(self) -> None:
        self._stream.write("\n]}\n")


class _GeoPackage:
    """Rows are flat and small, a few hundred bytes each, and are kept until the end."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def add(self, answer: PhotoAnswer) -> None:
        self._rows.append(answer.row())

    def save(self, path: Path) -> None:
        """Write the layer `photos`, EPSG:4326."""
        pyogrio = load_pyogrio()
        path.unlink(missing_ok=True)
        points = np.array([_wkb_point(row["lon"], row["lat"]) for row in self._rows], object)
        columns = [_column(kind, [row[name] for row in self._rows]) for name, kind in FIELDS.items()]
        buffer = io.BytesIO()
        options = {"layer": "photos", "driver": "GPKG", "geometry_type": "Point", "crs": "EPSG:4326"}
        pyogrio.raw.write(buffer, points, columns, list(FIELDS), **options)
        path.write_bytes(buffer.getvalue())


def _wkb_point(lon: float | None, lat: float | None) -> bytes | None:
    return None if lon is None or lat is None else struct.pack("<bIdd", 1, 1, lon, lat)


def _column(kind: type, values: list[Any]) -> np.ndarray[Any, Any]:
    return np.array(values, np.float64) if kind is float else np.array(values, object)


_TEXT_WRITERS: dict[str, Any] = {"json": _JsonLines, "csv": _Csv, "geojson": _GeoJson}
