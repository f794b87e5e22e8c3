"""The interface of a tile source, its options, and the choice of zoom and box that all sources share."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.region import BoxRegion
from indexer.tiles.sources.schemes import AUTO, check_scheme
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.errors import BadImage
from model.common.geo import Bounds

__all__ = ["Listing", "SourceOptions", "TileImage", "TileSource", "as_tile_image", "inside", "select"]


@dataclass(frozen=True)
class SourceOptions:
    """What part of a source to take, and how to cut it where it is not cut into tiles yet.

    Attributes:
        scheme: how rows are counted: "xyz" southwards, "tms" northwards, "zyx" southwards and before the column,
            "quadkey", a pattern of file names such as "{z}_{x}_{y}.png", or "auto" for what the source says of itself.
        zoom: the one zoom to index; None takes the deepest.
        bbox: only tiles that touch this box.
        tile_size_m: side on the ground of the tiles cut from a raster, or of a manifest's tiles without bounds.
        stride_m: distance on the ground between neighbouring tiles cut from a raster; None puts edge to edge.
        tile_px: side of the pictures cut from a raster.
        min_valid: share of a tile cut from a raster that must hold data.
        bands: the raster's bands (from 1) drawn as red, green and blue, or one for grey, and one more that is 0 where
            there is no data; None lets the file say.
        nodata: value of a raster that means no data, in place of what its files say.
        skip_bad: go on without the rasters of a folder that cannot be used.
    """

    scheme: str = AUTO
    zoom: int | None = None
    bbox: Bounds | None = None
    tile_size_m: float | None = None
    stride_m: float | None = None
    tile_px: int = 256
    min_valid: float = 0.5
    bands: tuple[int, ...] | None = None
    nodata: float | None = None
    skip_bad: bool = False

    def __post_init__(self) -> None:
        check_scheme(self.scheme)
        if self.zoom is not None and not 0 <= self.zoom <= MAX_ZOOM:
            raise BadSource(f"zoom is {self.zoom}; give 0 to {MAX_ZOOM}")
        for name in ("tile_size_m", "stride_m"):
            value = getattr(self, name)
            if value is not None and not 1.0 <= value <= 1e6:
                raise BadSource(f"{name} is {value}; give metres on the ground, 1 to 1,000,000")
        if self.stride_m is not None and self.tile_size_m is None:
            raise BadSource(f"stride_m is {self.stride_m} but tile_size_m is not given; give both, in metres")
        if not 32 <= self.tile_px <= 4096:
            raise BadSource(f"tile_px is {self.tile_px}; give 32 to 4096 pixels")
        if not 0.0 <= self.min_valid <= 1.0:
            raise BadSource(f"min_valid is {self.min_valid}; give a share in [0, 1]")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SourceOptions:
        """The options that `TileSource.describe` stated.

        Raises:
            TypeError: an unknown key.
        """
        bands = values.get("bands")
        return cls(**values | {"bands": None if bands is None else tuple(bands)})


@dataclass(frozen=True)
class Listing:
    """What a source holds: its tiles in a fixed order, and remarks for the user on what was left out."""

    table: TileTable
    notes: list[str] = field(default_factory=list)


class TileSource(Protocol):
    """A corpus of tiles. `read` may be called from several threads at once.

    Attributes:
        kind: name of the format, as in the index's manifest.
        path: the file or folder.
    """

    kind: str
    path: Path

    def describe(self) -> dict[str, Any]:
        """What makes the tiles what they are, beside the path: JSON values that open the source alike."""

    def list_tiles(self) -> Listing:
        """Every tile that the options leave, without reading pictures.

        Raises:
            BadSource: there is none, or the source is damaged.
        """

    def read(self, tile: TileRecord) -> bytes | Image.Image:
        """One tile, as an encoded JPEG, PNG or WebP or as an RGB picture.

        Raises:
            TileWithoutData: the tile is mostly empty.
            BadImage: the tile is damaged.
            OSError: it cannot be read.
        """

    def close(self) -> None:
        """Let go of open files."""


def select(table: TileTable, options: SourceOptions, where: Path) -> Listing:
    """The tiles of one zoom inside the box, and a remark when other zooms were left out.

    Raises:
        BadSource: no tile is left, or the zoom asked for is not there.
    """
    notes: list[str] = []
    zooms = {int(zoom): int(count) for zoom, count in zip(*np.unique(table.z, return_counts=True), strict=True)}
    zoom = max(zooms) if options.zoom is None else options.zoom
    if zoom not in zooms:
        raise BadSource(f"{where} holds no tile of zoom {zoom}; it holds {_zoom_list(zooms)}")
    if len(zooms) > 1:
        how = "the deepest" if options.zoom is None else "as asked"
        notes.append(f"zooms present: {_zoom_list(zooms)}; zoom {zoom} is indexed ({how})")
        table = table.take(table.z == zoom)
    return Listing(inside(table, options, where), notes)


def inside(table: TileTable, options: SourceOptions, where: Path) -> TileTable:
    """The tiles that touch the options' box.

    Raises:
        BadSource: none does.
    """
    if options.bbox is None:
        return table
    mask = BoxRegion(options.bbox).mask(table.west, table.south, table.east, table.north)
    if not mask.any():
        raise BadSource(
            f"no tile of {where} touches the box {options.bbox.as_tuple()} (west, south, east, north); "
            f"its tiles lie in {table.bounds.as_tuple()}"
        )
    return table if mask.all() else table.take(mask)


def _zoom_list(zooms: dict[int, int]) -> str:
    return ", ".join(f"{zoom} ({count:,} tiles)" for zoom, count in sorted(zooms.items()))


@dataclass(frozen=True)
class TileImage:
    """Encoded picture and its media type."""

    data: bytes
    media_type: str


def as_tile_image(picture: bytes | Image.Image) -> TileImage:
    """Wrap what a source read.

    Raises:
        BadImage: bytes that are no JPEG, PNG or WebP.
    """
    if isinstance(picture, Image.Image):
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")
        return TileImage(buffer.getvalue(), "image/png")
    if picture.startswith(b"\xff\xd8\xff"):
        return TileImage(picture, "image/jpeg")
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return TileImage(picture, "image/png")
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return TileImage(picture, "image/webp")
    raise BadImage(f"the tile is not a JPEG, PNG or WebP (it starts with {picture[:8]!r})")
