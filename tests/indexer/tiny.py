"""Small tile corpora, made by hand: every tile has colours of its own, so that its vector tells which one it is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.encoders import TileEncoder
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.tile_table import TileTable, centres, texts
from tests.fakes import FakeEncoder

ZOOM, LEFT, TOP = 15, 17_000, 11_000


def picture(seed: int, side_px: int = 48) -> Image.Image:
    """3 x 3 cells of random colours."""
    cells = np.random.default_rng(seed).integers(0, 255, (3, 3, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((side_px, side_px), Image.Resampling.NEAREST)


def encoded(seed: int, side_px: int = 48, form: str = "PNG") -> bytes:
    """The same as bytes."""
    buffer = io.BytesIO()
    picture(seed, side_px).save(buffer, form)
    return buffer.getvalue()


def make_tiles(
    folder: Path, columns: int = 4, rows: int = 3, zoom: int = ZOOM, *, left: int = LEFT, top: int = TOP
) -> Path:
    """A z/x/y folder of PNGs; tile number column * rows + row has that seed."""
    for column in range(columns):
        for row in range(rows):
            path = folder / str(zoom) / str(left + column) / f"{top + row}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(column * rows + row))
    return folder


def build_tiny(
    root: Path, columns: int = 4, rows: int = 3, *, encoder: TileEncoder | None = None, spec: BuildSpec | None = None
) -> TileIndex:
    """`root/tiles` and the index `root/index` of them."""
    source = open_source(make_tiles(root / "tiles", columns, rows))
    build_index(source, encoder or FakeEncoder(), root / "index", spec=spec or BuildSpec())
    return TileIndex.open(root / "index")


def vector_of(seed: int) -> NDArray[np.float32]:
    """[1, 27] what FakeEncoder makes of a picture."""
    return FakeEncoder().encode_satellite(np.asarray(picture(seed, 32))[None])


def table_of_boxes(west: object, south: object, east: object, north: object) -> TileTable:
    """A table of tiles off the grid, named by their number."""
    edges = [np.asarray(edge, np.float64) for edge in (west, south, east, north)]
    lat, lon = centres(*edges)
    names = texts([f"tile-{number}" for number in range(len(lat))])
    off_grid, zeros = np.full(len(lat), -1, np.int64), np.zeros(len(lat), np.int64)
    return TileTable(names, off_grid, off_grid, off_grid, lat, lon, *edges, names, zeros, zeros)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
