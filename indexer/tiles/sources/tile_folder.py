"""Tile folders: `z/x/y.png|jpg|webp` in either order of rows, files named by quadkey, or by a pattern given."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.names import Texts, texts
from indexer.tiles.sources.claims import doubts_of_names, refuse_geodetic_rows, settle_scheme
from indexer.tiles.sources.foreign import FOREIGN_SUFFIXES, foreign_file, foreign_names
from indexer.tiles.sources.scanning import FoundPicture, Scan, files_below, files_beside, scan_pictures
from indexer.tiles.sources.schemes import AUTO, NamePattern, on_grid, quadkey_tile, to_xyz
from indexer.tiles.sources.seams import doubt_of_rows
from indexer.tiles.sources.sidecars import description_files, folder_claims
from indexer.tiles.sources.source import Listing, SourceOptions, read_picture, select
from indexer.tiles.sources.stamps import FileState, state_of
from indexer.tiles.tile_table import TileRecord, grid_table
from model.common.counted import counted

__all__ = ["FolderSource", "holds_named_tiles"]

_ZXY = re.compile(r"(\d{1,2})/(\d{1,10})/(\d{1,10})(@[2-4]x)?\.\w+", re.ASCII)
_QUADKEY = re.compile(rf"(?:(?:.*/)?([^/]*)/)?([0-3]{{1,{MAX_ZOOM}}})\.\w+")
_SHORTEST_QUADKEY = 9
"""Shorter names of the digits 0 to 3 are numbers and dates rather than tiles, which would be 80 km wide and more."""
_NEARLY_ALL = 0.9
_ARCHIVES = frozenset({".tif", ".tiff", ".vrt", ".mbtiles", ".pmtiles"})
_WORLD_FILES = frozenset({".jgw", ".jpgw", ".pgw", ".pngw", ".wld"})
_LISTS = frozenset({".csv", ".tsv", ".parquet", ".geoparquet"})

_Zxy = tuple[int, int, int]
_Placed = list[_Zxy | None]


class FolderSource:
    """A folder of tile pictures on the Web Mercator grid."""

    kind = "folder"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self._options = options
        self._scheme = options.scheme
        self._scan = Scan()
        self._listed: Texts = texts([])
        self._tile_ids: Texts = texts([])
        self._described: dict[Path, FileState] = {}

    @property
    def files_root(self) -> Path:
        """The folder itself."""
        return self.path

    def describe(self) -> dict[str, Any]:
        """The scheme of names, once listed the one found, which turns a file name into a place; and the box."""
        return {"scheme": self._scheme} | self._options.stated_box

    def list_tiles(self) -> Listing:
        """Every picture whose path names a tile, by scanning directories."""
        self._scan = scan = scan_pictures(self.path)
        self._described = _descriptions(self.path)
        found = scan.pictures
        if not found:
            raise BadSource(self._no_pictures())
        self._scheme, places, notes = self._placed([picture.name for picture in found])
        kept = [(place, picture) for place, picture in zip(places, found, strict=True) if place is not None]
        if not kept:
            raise BadSource(self._nothing_named(found))
        _refuse_twins(self.path, kept)
        table = grid_table(
            np.array([place for place, _ in kept], np.int64),
            [picture.name for _, picture in kept],
            size_bytes=np.array([picture.state[0] for _, picture in kept], np.int64),
            stamp=np.array([picture.state[1] for _, picture in kept], np.int64),
        )
        listing = select(table, self._options, self.path)
        listing.notes.extend(notes + self._left_out(places, scan))
        rows = _rows_of_pattern(self._scheme) or self._scheme
        listing.notes.extend(doubt_of_rows(listing.table, rows, self._options.scheme, self.read, self.path))
        self._listed, self._tile_ids = listing.table.source, listing.table.tile_id
        return listing

    def states(self) -> dict[str, FileState]:
        """Every picture as it was when the folder was scanned."""
        return {picture.name: picture.state for picture in self._scan.pictures}

    def changes(self) -> list[str]:
        """Tiles that came in since the listing, and descriptions by which they lie elsewhere now.

        The folder is read again only where some name came or went, or a description changed.
        """
        described = _descriptions(self.path)
        if self._scan.still_holds(self.path) and described == self._described:
            return []
        try:
            now = FolderSource(self.path, self._options).list_tiles().table
        except BadSource as error:
            return [f"{self.path} changed ({error})"]
        before = dict(zip(self._listed.tolist(), self._tile_ids.tolist(), strict=True))
        listed = list(zip(now.source.tolist(), now.tile_id.tolist(), strict=True))
        moved = [(name, tile) for name, tile in listed if before.get(name, tile) != tile]
        if moved:
            name, tile = moved[0]
            paths = sorted({path for path, _ in described.items() ^ self._described.items()})
            who = str(paths[0]) if paths else str(self.path)
            return [f"{who} changed (by it {name} is tile {tile}, and was {before[name]} before)"]
        return [f"{self.path / name} was added" for name, _ in listed if name not in before]

    def read(self, tile: TileRecord) -> bytes:
        """The file's bytes."""
        return read_picture(self.files_root, tile.source)

    def close(self) -> None:
        """Nothing is held open."""

    def _placed(self, names: list[str]) -> tuple[str, _Placed, list[str]]:
        """(scheme, the tile that each name stands for, remarks)."""
        asked = self._options.scheme
        if "{" in asked:
            self._refuse_other_layout(names)
            return asked, *self._placed_by_names([NamePattern(asked).tile(name) for name in names])
        if asked == "quadkey":
            return asked, *self._placed_by_names([_from_quadkey(name) for name in names])
        rows = _rows_of_names(names)
        keys: _Placed = [_from_quadkey(name) for name in names] if asked == AUTO and None in rows else []
        if _are_quadkeys(keys, rows):
            long = [key if key and key[0] >= _SHORTEST_QUADKEY else None for key in keys]
            return "quadkey", *self._placed_by_names(long)
        return self._placed_by_rows(rows)

    def _placed_by_names(self, places: _Placed) -> tuple[_Placed, list[str]]:
        """Tiles as their names place them, and remarks on what the folder says of itself."""
        zxy = np.array([place for place in places if place is not None], np.int64).reshape(-1, 3)
        claims = folder_claims(self.path) if len(zxy) else []
        return places, doubts_of_names(zxy, claims, self._options, self.path, row_scheme=_rows_of_pattern(self._scheme))

    def _placed_by_rows(self, rows: _Placed) -> tuple[str, _Placed, list[str]]:
        named = [number for number, row in enumerate(rows) if row is not None]
        stored = np.array([row for row in rows if row is not None], np.int64).reshape(-1, 3)
        inside = on_grid(stored)
        if self._options.scheme == AUTO:
            refuse_geodetic_rows(stored, inside, self.path)
        if not inside.any():
            return self._options.scheme, [None] * len(rows), []
        scheme, notes = settle_scheme(stored[inside], folder_claims(self.path), self._options, self.path, usual="xyz")
        places: _Placed = [None] * len(rows)
        tiles = to_xyz(stored[inside], scheme).tolist()
        for number, (z, x, y) in zip(np.array(named)[inside].tolist(), tiles, strict=True):
            places[number] = z, x, y
        return scheme, places, notes

    def _refuse_other_layout(self, names: Sequence[str]) -> None:
        """Stop where a pattern would read other numbers out of names than they mean."""
        if whose := foreign_names(names):
            raise BadSource(
                f"{self.path} has names such as {names[0]}, as {whose}; a pattern does not read them right. Rename or "
                "export the tiles as z/x/y, or list them with their places in a CSV"
            )

    def _no_pictures(self) -> str:
        """What lies in a folder in place of tiles."""
        others = "".join(f", or {other}" for other in files_beside(self.path, _ARCHIVES | _LISTS)[:3])
        fault = f"{self.path} holds no .png, .jpg or .webp file; give a folder of tiles named z/x/y.png{others}"
        if not others and (foreign := next(iter(files_beside(self.path, FOREIGN_SUFFIXES)), None)) is not None:
            return f"{fault}. {foreign.name} in it is {foreign_file(foreign.suffix)}"
        below = [] if others else files_below(self.path, {*_ARCHIVES, *FOREIGN_SUFFIXES})
        if below and (what := foreign_file(Path(below[0]).suffix)):
            return f"{fault}. {below[0]} in it is {what}"
        if not below:
            return fault
        named = "raster or archive" if len(below) == 1 else "rasters or archives"
        return (
            f"{fault}. It has {len(below):,} {named} in folders below, such as {below[0]}: give the folder "
            "that they lie in, or a virtual raster of all (gdalbuildvrt)"
        )

    def _nothing_named(self, found: Sequence[FoundPicture]) -> str:
        """Why a folder of pictures is no tile folder."""
        pictures = counted(len(found), "picture")
        if self._options.scheme != AUTO:
            return (
                f"{self.path} holds {pictures}, none named as --scheme {self._options.scheme} says "
                f"(the first is {found[0].name}); give the folder that the names are relative to"
            )
        if files_beside((self.path / found[0].name).parent, _WORLD_FILES):
            return (
                f"{self.path} holds {pictures} with world files (the first is {found[0].name}); make "
                "a virtual raster of them (gdalbuildvrt -a_srs EPSG:... all.vrt FILES) and give that"
            )
        if whose := foreign_names([picture.name for picture in found]):
            return (
                f"{self.path} holds {pictures} named as in {whose} (the first is {found[0].name}); "
                "rename or export the tiles as z/x/y, or list them with their places in a CSV"
            )
        return (
            f"{self.path} holds {pictures}, none named z/x/y.png or by quadkey (the first is "
            f"{found[0].name}); give the folder above the zoom folders, --scheme with a pattern of the names such as "
            "{z}_{x}_{y}.png (or quadkey), or a CSV of paths and coordinates"
        )

    def _left_out(self, places: _Placed, scan: Scan) -> list[str]:
        notes = []
        strays = [picture.name for place, picture in zip(places, scan.pictures, strict=True) if place is None]
        strays += scan.unnamed
        if strays:
            named = counted(len(strays), "picture", "names no tile and is", "name no tile and are")
            notes.append(f"{named} ignored, such as {strays[0]}")
        if scan.again:
            where = "to folders seen before and"
            links = counted(len(scan.again), "link", f"leads {where} is", f"lead {where} are")
            notes.append(f"{links} not entered, such as {scan.again[0]}")
        others = [path.name for path in files_beside(self.path, _ARCHIVES)]
        if others:
            notes.append(f"warning: {', '.join(others[:3])} beside the tiles is ignored; give its path to index it")
        return notes


def _descriptions(root: Path) -> dict[Path, FileState]:
    """The files that may say how the tiles of a folder are placed, as they are now."""
    return {path: state_of(path) for path in description_files(root)}


def holds_named_tiles(path: Path) -> bool:
    """Whether a folder has subfolders named as tiles are, or nothing but long quadkeys among its pictures."""
    names = [picture.name for picture in scan_pictures(path).pictures]
    rows = _rows_of_names(names)
    return any(row is not None for row in rows) or _are_quadkeys([_from_quadkey(name) for name in names], rows)


def _rows_of_pattern(scheme: str) -> str:
    """How a pattern counts rows, empty where it has none or the scheme is no pattern."""
    return "tms" if "{-y}" in scheme else "xyz" if "{y}" in scheme else ""


def _rows_of_names(names: Sequence[str]) -> _Placed:
    """(z, first, second) of names of the form z/x/y, and of z/x/y@2x where that tile has no plain one."""
    matches = [_ZXY.fullmatch(name) for name in names]
    rows = [None if match is None else (int(match[1]), int(match[2]), int(match[3])) for match in matches]
    plain = {row for row, match in zip(rows, matches, strict=True) if match is not None and not match[4]}
    return [
        None if match is not None and match[4] and row in plain else row
        for row, match in zip(rows, matches, strict=True)
    ]


def _are_quadkeys(keys: _Placed, rows: _Placed) -> bool:
    """Whether names are quadkeys rather than rows: nearly all others look so and are longer than a number or date."""
    long = sum(key is not None and key[0] >= _SHORTEST_QUADKEY for key in keys)
    named = sum(row is not None for row in rows)
    return long > named and long >= _NEARLY_ALL * (len(rows) - named)


def _from_quadkey(name: str) -> _Zxy | None:
    match = _QUADKEY.fullmatch(name)
    if match is None:
        return None
    parent, digits = match.groups(default="")
    if parent.isdigit() and not digits.startswith(parent):  # rather the x of x/y.png
        return None
    return quadkey_tile(digits)


def _refuse_twins(root: Path, kept: list[tuple[_Zxy, FoundPicture]]) -> None:
    place, count = Counter(place for place, _ in kept).most_common(1)[0]
    if count > 1:
        names = [picture.name for where, picture in kept if where == place]
        raise BadSource(f"{root} has {count} pictures of tile {place[0]}/{place[1]}/{place[2]}: {', '.join(names)}")
