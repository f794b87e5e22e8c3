"""Writing the pairs of a city: pictures, three manifests, what was left out and why, and a map.

The folder is what `model.data.manifest` reads. Photos to train on get tiles cut around them with a margin, so that
training can shift them. Photos to watch by and to test with ask for the source's own tiles, as an index holds them.
"""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadPhotos
from indexer.pairs.city_map import LEFT_OUT, draw_map
from indexer.pairs.gallery import Gallery
from indexer.pairs.mosaic import Mosaic
from indexer.pairs.overlaps import name_overlaps
from indexer.pairs.photos import PlacedPhoto
from indexer.pairs.pictures import VERTICAL_DEG, draw_strip
from indexer.pairs.screening import LeftOut, Screen, UsablePhoto
from indexer.pairs.specs import PairsSpec
from indexer.pairs.splitting import BETWEEN, PARTS, split_by_area
from indexer.tiles.grid import curve_keys_of_points
from indexer.tiles.sources.source import TileSource
from model.common.atomic_io import staged_folder, write_json
from model.common.counted import counted
from model.common.errors import BadImage, MissingExtra
from model.common.geo import LatLon
from model.common.manifest_rows import ManifestRow, write_manifest
from model.synthetic.pair_set import jpeg_bytes, store_picture

__all__ = ["PAIRS_FORMAT", "PairsSummary", "write_pairs"]

logger = logging.getLogger(__name__)

PAIRS_FORMAT = 1
_OFF = "off the imagery"
_LEAST_COVERED = 0.9
"""Share of a picture around a training photo that tiles must show."""
_LEAST_PHOTOS = 2
"""Fewer to train on have nothing to be told apart from."""


@dataclass(frozen=True)
class PairsSummary:
    """What came of it.

    Attributes:
        photos: photos of each part.
        tiles: tiles of each part: pictures around training photos; the gallery of the others.
        left_out: every photo that is not used.
        tile_m: side of the ground that a tile shows, in metres.
    """

    photos: dict[str, int]
    tiles: dict[str, int]
    left_out: list[LeftOut]
    tile_m: float

    @property
    def reasons(self) -> dict[str, int]:
        """How many photos each reason left out, the commonest first."""
        return dict(Counter(one.reason for one in self.left_out).most_common())


def write_pairs(
    photos: Sequence[PlacedPhoto],
    sources: Sequence[TileSource],
    out: Path,
    how: PairsSpec,
    *,
    on_progress: Callable[[int], object] = lambda _: None,
) -> PairsSummary:
    """Write a folder of pairs, whole or not at all.

    Args:
        photos: in any order.
        sources: tiles; every one gives a picture of each training photo's place, the first one is the gallery.
        out: the new folder.
        how: sizes, limits and split.
        on_progress: called with a number of photos that are done.

    Raises:
        OutputExists: the folder is there already.
        BadPhotos: too few photos are left for a part.
        BadSource: a source holds no tile, or is damaged.
    """
    with staged_folder(out) as staged:
        return _Writer(staged, list(sources), how).write(photos, on_progress)


class _Writer:
    """A folder that is being filled."""

    def __init__(self, folder: Path, sources: list[TileSource], how: PairsSpec) -> None:
        self.folder, self.sources, self.how = folder, sources, how
        self.mosaics = [Mosaic(source) for source in sources]
        self.left_out: list[LeftOut] = []
        self.rows: dict[str, list[ManifestRow]] = {part: [] for part in PARTS}
        self.shown: dict[str, list[LatLon]] = {part: [] for part in PARTS}
        self.sides_m: list[float] = []

    def write(self, photos: Sequence[PlacedPhoto], on_progress: Callable[[int], object]) -> PairsSummary:
        """All of it."""
        usable = self._screened(photos, on_progress)
        self._require(len(usable) > 0, len(photos))
        parts = split_by_area([photo.place for photo in usable], self.how.split)
        galleries = {
            part: Gallery(self.mosaics[0], self.sources[0], self.folder, f"gallery-{part}") for part in PARTS[1:]
        }
        for number in _along_a_curve(usable):
            photo, part = usable[number], int(parts[number])
            if part == BETWEEN:
                self._leave(photo, "between the parts", f"within {self.how.split.between_m:g} m of a held-out photo")
            else:
                self._add(photo, PARTS[part], galleries.get(PARTS[part]))
            on_progress(1)
        self._require(all(self.shown.values()) and len(self.shown["train"]) >= _LEAST_PHOTOS, len(photos))
        return self._finish(galleries, len(photos))

    def _screened(self, photos: Sequence[PlacedPhoto], on_progress: Callable[[int], object]) -> list[UsablePhoto]:
        screen = Screen(apart_m=self.how.apart_m, accuracy_m=self.how.accuracy_m)
        usable: list[UsablePhoto] = []
        for photo in photos:
            judged = screen.judge(photo)
            if isinstance(judged, UsablePhoto) and self.mosaics[0].tile_at(judged.place) is None:
                judged = LeftOut(judged.name, _OFF, "no tile shows its place", judged.place)
            if isinstance(judged, UsablePhoto):
                usable.append(judged)
            else:
                self.left_out.append(judged)
                on_progress(1)
        return usable

    def _add(self, photo: UsablePhoto, part: str, gallery: Gallery | None) -> None:
        """Write one photo and its tiles; or leave it out."""
        try:
            strip = draw_strip(photo, self.how.photo_px)
        except (BadImage, OSError) as error:
            self._leave(photo, "not a picture" if "next to nothing" not in str(error) else "bare picture", str(error))
            return
        number = sum(map(len, self.shown.values()))
        query = f"photos/{number:06d}.jpg"
        rows = self._training_rows(photo, number) if gallery is None else _held_out_row(photo, gallery)
        if not rows:
            self._leave(photo, _OFF, f"tiles show less than {_LEAST_COVERED:.0%} of the ground around it")
            return
        store_picture(self.folder / query, jpeg_bytes(strip.pixels, 92))
        place, heading_deg = photo.place, round(photo.heading_deg, 3)
        self.rows[part] += [
            replace(
                row, query=query, lat=place.lat, lon=place.lon, heading_deg=heading_deg, fov_deg=strip.fov_deg,
                vertical_deg=VERTICAL_DEG,
            )
            for row in rows
        ]  # fmt: skip
        self.shown[part].append(place)

    def _training_rows(self, photo: UsablePhoto, number: int) -> list[ManifestRow]:
        """A picture around the photo out of every source that shows it."""
        found = []
        for which, mosaic in enumerate(self.mosaics):
            tile = mosaic.tile_at(photo.place)
            picture = None if tile is None else mosaic.picture(tile)
            if tile is None or picture is None:
                continue
            whole, side_m = 1.0 + 2.0 * self.how.margin, mosaic.side_m(tile)
            cut = mosaic.cut(photo.place, side_m * whole, round(min(picture.width, self.how.side_px) * whole))
            if cut.covered < _LEAST_COVERED:
                continue
            name = f"tiles/{number:06d}{f'-{which + 1}' if which else ''}.jpg"
            store_picture(self.folder / name, jpeg_bytes(np.asarray(cut.picture), 92))
            self.sides_m.append(mosaic.ground_m(tile))
            found.append(ManifestRow.tile(name, photo.place, self.how.margin))
        return found

    def _leave(self, photo: UsablePhoto, reason: str, detail: str) -> None:
        self.left_out.append(LeftOut(photo.name, reason, detail, photo.place))

    def _require(self, enough: bool, count: int) -> None:
        if not enough:
            kept = ", ".join(f"{len(places)} for {part}" for part, places in self.shown.items())
            reasons = Counter(one.reason for one in self.left_out).most_common()
            told = ", ".join(f"{number:,} {reason}" for reason, number in reasons)
            first = f"; the first: {self.left_out[0].name}, {self.left_out[0].detail}" if self.left_out else ""
            raise BadPhotos(
                f"of {counted(count, 'photo')} too few can be used ({kept}; left out: {told or 'none'}{first})"
            )

    def _finish(self, galleries: dict[str, Gallery], count: int) -> PairsSummary:
        """Manifests, table, map and note."""
        for part, gallery in galleries.items():
            for place in self.shown[part]:
                gallery.around(place)
            self.rows[part] += gallery.rows()
        tile_m = float(np.median(self.sides_m))
        self.rows["train"] = name_overlaps(self.rows["train"], tile_m / 2)
        for part in PARTS:
            write_manifest(self.folder / f"{part}.csv", self.rows[part])
        _write_left_out(self.folder / "left-out.csv", self.left_out)
        tiles = {part: len({row.reference for row in rows}) for part, rows in self.rows.items()}
        photos = {part: len(places) for part, places in self.shown.items()}
        summary = PairsSummary(photos, tiles, self.left_out, tile_m)
        layers: dict[str, list[LatLon]] = {
            LEFT_OUT: [one.place for one in self.left_out if one.place is not None], **self.shown
        }  # fmt: skip
        title = f"{sum(photos.values()):,} of {counted(count, 'photo')}, parts {self.how.split.between_m:g} m apart"
        try:
            draw_map(self.folder / "map.png", layers, self.mosaics[0].table, title=title)
        except MissingExtra as error:
            logger.warning("map.png is left out: %s", error)
        write_json(self.folder / "pairs.json", self._note(summary, count))
        return summary

    def _note(self, summary: PairsSummary, count: int) -> dict[str, Any]:
        return {
            "format": PAIRS_FORMAT,
            "photos_seen": count,
            "photos": summary.photos,
            "tiles": summary.tiles,
            "left_out": summary.reasons,
            "tile_m": round(summary.tile_m, 2),
            "sources": [{"kind": source.kind, **source.describe()} for source in self.sources],
            "spec": asdict(self.how),
        }


def _held_out_row(photo: UsablePhoto, gallery: Gallery) -> list[ManifestRow]:
    found = gallery.own_tile(photo.place)
    return [] if found is None else [replace(found[0], semi_positives=";".join(found[1]))]


def _along_a_curve(photos: Sequence[UsablePhoto]) -> list[int]:
    """Rows in an order in which neighbours follow each other, so that they share decoded tiles."""
    lat, lon = np.array([(photo.place.lat, photo.place.lon) for photo in photos]).T
    order: NDArray[np.intp] = np.argsort(curve_keys_of_points(lat, lon), kind="stable")
    rows: list[int] = order.tolist()
    return rows


def _write_left_out(path: Path, left_out: Sequence[LeftOut]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("photo", "reason", "detail", "lat", "lon"))
        for one in sorted(left_out, key=lambda left: left.name):
            place = ("", "") if one.place is None else (one.place.lat, one.place.lon)
            writer.writerow((one.name, one.reason, one.detail, *place))
