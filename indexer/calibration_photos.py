"""Photos of known place, asked of an index as a client would ask: what a calibration is fitted on, or checked with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.calibration import Conditions
from indexer.encoding import QueryEncoder
from indexer.errors import BadPhotos
from indexer.evidence import BEST, Shortlist
from indexer.folder import TileIndex
from indexer.photo_set import PhotoSet
from indexer.search import SearchResult
from model.data.loading import load_query
from model.data.pairs import PairSet, Query
from model.geo import LatLon
from model.headings import search_headings
from model.protocol import QueryProtocol

__all__ = ["AskedPhotos", "Photo", "ask_photos", "conditions_of", "photos_with_places"]


@dataclass(frozen=True)
class Photo:
    """What an index answers to one photo, and what is true.

    Attributes:
        shortlist: the best tiles.
        place: where it was taken.
        inside: whether a tile of the index lies there.
    """

    shortlist: Shortlist
    place: LatLon
    inside: bool


@dataclass(frozen=True)
class AskedPhotos:
    """Photos, under which conditions they were asked, and what tells this set from another."""

    photos: tuple[Photo, ...]
    conditions: Conditions
    about: PhotoSet


def photos_with_places(sets: Sequence[PairSet]) -> list[Query]:
    """The queries of some data sets, each once; their references do not matter.

    Raises:
        BadPhotos: some have no coordinates.
    """
    queries = list(dict.fromkeys(query for pairs in sets for query in pairs.queries))
    lost = [query.path for query in queries if query.location is None]
    if lost:
        raise BadPhotos(
            f"{len(lost):,} of {len(queries):,} photos have no lat, lon, {lost[0].name} for one; "
            "give the columns lat and lon for every query"
        )
    return queries


def ask_photos(
    index: TileIndex,
    encoder: QueryEncoder,
    sets: Sequence[PairSet],
    *,
    protocol: QueryProtocol,
    on_progress: Callable[[int], object],
) -> AskedPhotos:
    """Embed every photo and search the whole index.

    Args:
        index: what to search.
        encoder: the one that built it.
        sets: the photos.
        protocol: what is known of a photo: its heading, and how wide it sees.
        on_progress: called with the number of photos done since the last call.

    Raises:
        IndexMismatch: the index was built by another encoder.
        BadPhotos: a photo has no coordinates.
        BadImage: a picture cannot be read.
    """
    index.require_encoder(encoder)
    queries = photos_with_places(sets)
    photos = []
    for number, query in enumerate(queries):
        assert query.location is not None, "checked above"
        asked = protocol.ask(load_query(query, encoder.inputs), query, number)
        shortlist = _shortlist(index, encoder, asked.canvas, searches=protocol.searches, headings=protocol.headings)
        photos.append(Photo(shortlist, query.location, index.covers(query.location)))
        on_progress(1)
    about = PhotoSet.of([pairs.name for pairs in sets], [query.path for query in queries])
    return AskedPhotos(tuple(photos), conditions_of(queries, protocol), about)


def conditions_of(queries: Sequence[Query], protocol: QueryProtocol) -> Conditions:
    """The questions that asking these photos so would be."""
    wide = [min(query.fov_deg, protocol.fov_deg) for query in queries]
    if protocol.searches:
        return Conditions("unknown", (min(wide), max(wide)), protocol.headings)
    return Conditions("known", (min(wide), max(wide)))


def _shortlist(
    index: TileIndex, encoder: QueryEncoder, canvas: NDArray[np.uint8], *, searches: bool, headings: int
) -> Shortlist:
    def find(canvases: NDArray[np.uint8]) -> list[SearchResult]:
        return index.search(encoder.encode_ground(canvases), top_k=BEST)

    hits = search_headings(canvas, find, heading_deg=None if searches else 0.0, count=headings)
    return index.shortlist(hits)
