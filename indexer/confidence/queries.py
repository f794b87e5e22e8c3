"""Photos of known place, asked of an index as a client would ask: what a calibration is fitted on, or checked with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.encoders import QueryEncoder
from indexer.common.errors import BadPhotos
from indexer.confidence.calibration import Conditions
from indexer.confidence.features import BEST, TopK
from indexer.confidence.photo_fingerprints import PhotoSet
from indexer.index.tile_index import TileIndex
from indexer.index.zones import SearchResult
from model.common.geo import LatLon
from model.data.loaders import lay_query, open_query
from model.data.pairs import PairSet, Query
from model.evaluation.protocol import QueryProtocol, QueryView
from model.inputs.heading_search import search_headings
from model.inputs.photo_checks import photo_warnings

__all__ = ["Photo", "SearchedPhotos", "ask_photos", "conditions_of", "photos_with_places"]


@dataclass(frozen=True)
class Photo:
    """What an index answers to one photo, and what is true.

    Attributes:
        candidates: the best tiles.
        place: where it was taken.
        inside: whether a tile of the index lies there.
    """

    candidates: TopK
    place: LatLon
    inside: bool


@dataclass(frozen=True)
class SearchedPhotos:
    """Photos, under which conditions they were asked, and what tells this set from another.

    Attributes:
        photos: those that an answer with a confidence could be given to.
        conditions: under which they were asked.
        about: what they are.
        left_out: the others, each as its name and the warning that an answer would carry instead of a confidence.
    """

    photos: tuple[Photo, ...]
    conditions: Conditions
    about: PhotoSet
    left_out: tuple[str, ...] = ()


def photos_with_places(sets: Sequence[PairSet]) -> list[Query]:
    """The queries of some data sets; their references do not matter. A picture asked the same way twice counts once.

    Raises:
        BadPhotos: some have no coordinates.
    """
    queries = list({_question(query): query for pairs in sets for query in pairs.queries}.values())
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
    queries: Sequence[Query],
    *,
    names: Sequence[str],
    protocol: QueryProtocol,
    on_progress: Callable[[int], object],
) -> SearchedPhotos:
    """Embed every photo and search the whole index.

    Args:
        index: what to search.
        encoder: the one that built it.
        queries: the photos, of `photos_with_places`.
        names: of the data sets that they come from.
        protocol: what is known of a photo: its heading, and how wide it sees.
        on_progress: called with the number of photos done since the last call.

    Raises:
        IndexMismatch: the index was built by another encoder.
        BadPhotos: a warning speaks against every photo.
        BadImage: a picture cannot be read.
    """
    index.require_encoder(encoder)
    photos, kept, left_out = [], [], []
    for number, query in enumerate(queries):
        picture = open_query(query, encoder.inputs)
        if warnings := photo_warnings(picture, query.fov_deg, query.vertical_deg):
            left_out.append(f"{query.path.name}: {warnings[0]}")
        else:
            asked = protocol.ask(lay_query(picture, query, encoder.inputs), query, number)
            photos.append(_answered(index, encoder, asked, query, protocol))
            kept.append(query)
        on_progress(1)
    if not photos:
        raise BadPhotos(f"all {len(queries):,} photos are left out, {left_out[0]}")
    about = PhotoSet.of(names, [query.path for query in kept])
    return SearchedPhotos(tuple(photos), conditions_of(kept, protocol), about, tuple(left_out))


def conditions_of(queries: Sequence[Query], protocol: QueryProtocol) -> Conditions:
    """The questions that asking these photos so would be."""
    wide = [min(query.fov_deg, protocol.fov_deg) for query in queries]
    return Conditions((min(wide), max(wide)), protocol.headings if protocol.searches else None)


def _question(query: Query) -> tuple[Any, ...]:
    return query.path.resolve(), query.heading_deg, query.fov_deg, query.vertical_deg


def _answered(
    index: TileIndex, encoder: QueryEncoder, asked: QueryView, query: Query, protocol: QueryProtocol
) -> Photo:
    def find(canvases: NDArray[np.uint8]) -> list[SearchResult]:
        return index.search(encoder.encode_ground(canvases), top_k=BEST)

    assert query.location is not None, "photos_with_places has checked it"
    heading_deg = None if protocol.searches else 0.0
    hits = search_headings(asked.canvas, find, heading_deg=heading_deg, count=protocol.headings)
    return Photo(index.candidates(hits), query.location, index.covers(query.location))
