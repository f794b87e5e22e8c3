"""Photos of known place, asked of an index as a client would ask: what a calibration is fitted on, or checked with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from indexer.common.errors import BadPhotos
from indexer.confidence.calibration import Conditions
from indexer.confidence.features import TopK
from indexer.confidence.photo_fingerprints import PhotoSet
from indexer.confidence.queries import KnownPhoto, SearchedPhotos
from indexer.localization.localizer import Localizer
from model.common.counted import counted
from model.data.manifest import Photos
from model.data.pairs import PairSet, Query
from model.data.pictures import open_query
from model.evaluation.protocol import QueryProtocol
from model.inputs.photo_checks import content_warnings
from model.inputs.photo_metadata import PhotoMetadata
from model.inputs.photo_projection import lay_photo
from model.inputs.photo_view import GivenView, resolve_view

__all__ = ["conditions_of", "photos_with_places", "search_known_photos"]


def photos_with_places(sets: Sequence[PairSet | Photos]) -> list[Query]:
    """The queries of some data sets; their references do not matter. A picture asked the same way twice counts once.

    Raises:
        BadPhotos: some have no coordinates.
    """
    queries = list({_question(query): query for pairs in sets for query in pairs.queries}.values())
    lost = [query.path for query in queries if query.location is None]
    if lost:
        raise BadPhotos(
            f"{len(lost):,} of {counted(len(queries), 'photo', 'has', 'have')} no lat, lon, {lost[0].name} for one; "
            "give the columns lat and lon for every query"
        )
    return queries


def search_known_photos(
    localizer: Localizer,
    queries: Sequence[Query],
    *,
    names: Sequence[str],
    protocol: QueryProtocol,
    on_progress: Callable[[int], object],
) -> SearchedPhotos:
    """Embed every photo and search the whole index.

    Args:
        localizer: encoder and index; its number of headings is the protocol's.
        queries: the photos, of `photos_with_places`.
        names: of the data sets that they come from.
        protocol: what is known of a photo: its heading, and how wide it sees.
        on_progress: called with the number of photos done since the last call.

    Raises:
        BadPhotos: a warning speaks against every photo.
        BadImage: a picture cannot be read.
    """
    inputs = localizer.encoder.inputs
    photos, kept, left_out = [], [], []
    for number, query in enumerate(queries):
        picture = open_query(query, inputs)
        given = GivenView(query.heading_deg, query.fov_deg, query.vertical_deg)
        view = resolve_view(given, PhotoMetadata(), picture.width, picture.height)
        if warnings := (*content_warnings(picture), *view.warnings):
            left_out.append(f"{query.path.name}: {warnings[0]}")
        else:
            canvas = protocol.ask(lay_photo(picture, inputs, view), query, number).canvas
            found = localizer.rank_tiles(canvas, heading_deg=None if protocol.searches else 0.0)
            assert query.location is not None, "photos_with_places has checked it"
            inside = localizer.index.covers(query.location)
            photos.append(KnownPhoto(TopK.of(localizer.index, found.hits), query.location, inside))
            kept.append(query)
        on_progress(1)
    if not photos:
        raise BadPhotos(f"no photo is left of {len(queries):,}, {left_out[0]}")
    about = PhotoSet.of(names, [query.path for query in kept])
    conditions = conditions_of(kept, protocol, reranked=localizer.reranked)
    return SearchedPhotos(tuple(photos), conditions, about, tuple(left_out))


def conditions_of(queries: Sequence[Query], protocol: QueryProtocol, *, reranked: int = 0) -> Conditions:
    """The questions that asking these photos so would be, the best `reranked` tiles being looked at again."""
    wide = [min(query.fov_deg, protocol.fov_deg) for query in queries]
    return Conditions((min(wide), max(wide)), protocol.headings if protocol.searches else None, reranked)


def _question(query: Query) -> tuple[Any, ...]:
    return query.path.resolve(), query.heading_deg, query.fov_deg, query.vertical_deg
