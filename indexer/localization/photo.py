"""Search an index with one photo: lay it on the canvas, embed, search; over all headings where its own is unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.encoders import QueryEncoder
from indexer.index.tile_index import TileIndex
from indexer.index.zones import SearchResult
from indexer.tiles.region import Region
from model.inputs.heading_search import Hit, search_headings
from model.inputs.photo_checks import photo_warnings
from model.inputs.transforms import lay_panorama

__all__ = ["PhotoMatches", "search_photo"]


@dataclass(frozen=True)
class PhotoMatches:
    """What an index holds for one photo.

    Attributes:
        hits: the best tiles, best first, each with the heading of the photo's centre column there; perhaps none.
        exact: whether every row that could count was compared.
        scanned: number of rows compared, with each heading.
        warnings: what speaks against the photo or its stated field of view, see `photo_warnings`.
    """

    hits: tuple[Hit, ...]
    exact: bool
    scanned: int
    warnings: tuple[str, ...] = ()


def search_photo(
    index: TileIndex,
    encoder: QueryEncoder,
    photo: Image.Image,
    *,
    heading_deg: float | None = 0.0,
    fov_deg: float = 360.0,
    top_k: int = 5,
    region: Region | None = None,
) -> PhotoMatches:
    """The tiles most like a photo.

    Args:
        index: built by the same encoder.
        encoder: embeds the photo.
        photo: equirectangular, or taken as such.
        heading_deg: where its centre column looks, clockwise from north; None to search over headings.
        fov_deg: its horizontal angle, in (0, 360].
        top_k: how many tiles; fewer come back where the region holds fewer.
        region: look only at tiles that touch it.

    Raises:
        BadConfig: a field of view is out of range or the heading is not finite.
        BadQuery: top_k is below one.
    """
    canvas = lay_panorama(photo, encoder.inputs, heading_deg=heading_deg or 0.0, fov_deg=fov_deg)
    results: list[SearchResult] = []

    def find(canvases: NDArray[np.uint8]) -> list[SearchResult]:
        found = index.search(encoder.encode_ground(canvases), top_k=top_k, region=region)
        results.extend(found)
        return found

    hits = search_headings(canvas, find, heading_deg=heading_deg)[:top_k]
    return PhotoMatches(
        hits=tuple(hits),
        exact=all(result.exact for result in results),
        scanned=max(result.scanned for result in results),
        warnings=tuple(photo_warnings(photo, fov_deg)),
    )
