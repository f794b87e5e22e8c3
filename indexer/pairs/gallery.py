"""The source's own tiles around held-out photos, as the gallery that they are searched in."""

from __future__ import annotations

from pathlib import Path

from indexer.pairs.mosaic import Mosaic
from indexer.tiles.sources.source import TileSource, as_tile_image
from model.common.geo import LatLon
from model.common.manifest_rows import ManifestRow
from model.synthetic.pair_set import store_picture

__all__ = ["AROUND", "Gallery"]

AROUND = 3.0
"""How many of their own sides from a held-out photo tiles join the gallery."""
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class Gallery:
    """Tiles copied as they are, each once."""

    def __init__(self, mosaic: Mosaic, source: TileSource, folder: Path, name: str) -> None:
        """Copies tiles of `mosaic`, which is made of `source`, to `folder / name`."""
        self._mosaic, self._source = mosaic, source
        self._folder, self._name = folder, name
        self._names: dict[int, str] = {}

    def own_tile(self, place: LatLon) -> tuple[ManifestRow, tuple[str, ...]] | None:
        """The tile that shows a place best, and the names of others that show it too; None where none is readable."""
        rows = [row for row in self._mosaic.tiles_showing(place).tolist() if self._mosaic.picture(row) is not None]
        if not rows:
            return None
        return self._row(rows[0]), tuple(self._copied(row) for row in rows[1:])

    def around(self, place: LatLon) -> None:
        """Let the tiles around a place join."""
        for row in self._mosaic.tiles_showing(place, AROUND).tolist():
            if row not in self._names and self._mosaic.picture(row) is not None:
                self._copied(row)

    def rows(self) -> list[ManifestRow]:
        """All tiles, without a photo, by name."""
        return sorted((self._row(row) for row in self._names), key=lambda row: row.reference)

    def _row(self, row: int) -> ManifestRow:
        tile = self._mosaic.table.record(row)
        return ManifestRow.tile(self._copied(row), LatLon(tile.lat, tile.lon))

    def _copied(self, row: int) -> str:
        if row not in self._names:
            image = as_tile_image(self._source.read(self._mosaic.table.record(row)))
            name = f"{self._name}/{len(self._names):06d}.{_SUFFIX[image.media_type]}"
            store_picture(self._folder / name, image.data)
            self._names[row] = name
        return self._names[row]
