"""Several photos of one place, answered once: their scores are added for each point of the map, and the best sum wins.

What one photo cannot tell another may: two streets look alike to the north and not to the east. Where a photo's
heading is unknown, each point counts it at the heading that suits it best.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.common.encoders import QueryEncoder
from indexer.common.errors import BadQuery, NoTilesInRegion
from indexer.confidence.features import BEST, TopK
from indexer.index.dense import AllScores
from indexer.index.searchable import SearchableIndex
from indexer.localization.answer import Localization, Match, PreparedPhoto
from indexer.localization.position import locate
from indexer.localization.timing import Stopwatch, TimedEncoder
from indexer.tiles.region import RecentImagery, Region
from model.common.counted import counted
from model.inputs.heading_search import Hit, TurnEncoder, heading_of, sweep_turns
from model.inputs.photo_view import ResolvedView

__all__ = ["JointLocalization", "JointRanking", "answer_together", "no_tiles", "rank_together"]

_NO_CONFIDENCE = "no confidence is fitted for several photos together"

_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class JointLocalization:
    """The answer to several photos of one place.

    Attributes:
        found: matches and position; a score is the mean over the photos, the view and the matches' headings are those
            of the first photo, and there is no confidence, since none is fitted for such questions.
        views: of each photo.
        headings_deg: of each photo's centre column at the best match, in [0, 360).
    """

    found: Localization
    views: tuple[ResolvedView, ...]
    headings_deg: tuple[float, ...]


@dataclass(frozen=True)
class _Turned:
    """A photo's vectors float32 [T, D], and the headings at which they were made."""

    vectors: _Floats
    headings_deg: list[float]

    def heading_at(self, point: _Floats) -> float:
        """The heading that suits a point of the map, given by its vector [D]."""
        return self.headings_deg[int(np.argmax(self.vectors @ point))]


@dataclass(frozen=True)
class JointRanking:
    """Tiles by the mean score of several photos.

    Attributes:
        hits: best first, at least one; a heading is that of the first photo.
        scanned: number of tiles compared.
        headings_deg: of each photo's centre column at the best hit, in [0, 360).
        seconds: spent on `decode`, `embed`, `search`.
    """

    hits: list[Hit]
    scanned: int
    headings_deg: tuple[float, ...]
    seconds: dict[str, float]


def answer_together(
    encoder: QueryEncoder,
    index: SearchableIndex,
    photos: Sequence[PreparedPhoto],
    *,
    headings: int,
    top_k: int,
    check: Callable[[], None],
) -> JointLocalization:
    """Add the scores of photos and answer once.

    Args:
        encoder: the one that built the index.
        index: what is searched; every tile of the area is compared.
        photos: at least one, all with the same area.
        headings: how many are tried first where a photo's is unknown.
        top_k: number of matches.
        check: called between the photos; what it raises ends the work.

    Raises:
        BadQuery: no photo, photos of different areas, or top_k below one.
        TooManyTiles: the area has more tiles than are scored at once.
        NoTilesInRegion: the area holds no tile.
    """
    found = rank_together(encoder, index, photos, headings=headings, top_k=top_k, check=check)
    began = time.perf_counter()
    matches = tuple(
        Match(rank, index.tile(hit.row), hit.score, hit.heading_deg) for rank, hit in enumerate(found.hits[:top_k], 1)
    )
    warnings = tuple(dict.fromkeys(warning for photo in photos for warning in photo.warnings))
    position = locate(TopK.of(index, found.hits), "see the warning" if warnings else _NO_CONFIDENCE)
    seconds = found.seconds | {"total": sum(found.seconds.values()) + time.perf_counter() - began}
    single = Localization(matches, position, photos[0].view, seconds, True, found.scanned, warnings)
    return JointLocalization(single, tuple(photo.view for photo in photos), found.headings_deg)


def rank_together(
    encoder: QueryEncoder,
    index: SearchableIndex,
    photos: Sequence[PreparedPhoto],
    *,
    headings: int,
    top_k: int = BEST,
    check: Callable[[], None] = lambda: None,
) -> JointRanking:
    """The best tiles, `BEST` or `top_k`, whichever is more; arguments and errors as `answer_together`."""
    if not photos or top_k < 1:
        asked = counted(len(photos), "photo", "is", "are")
        raise BadQuery(f"{asked} asked together for {top_k} matches; give at least one of both")
    region = photos[0].region
    if any(photo.region != region for photo in photos):
        raise BadQuery("photos that are asked together have different areas to search; give all of them the same")
    began, total, turned = time.perf_counter(), None, []
    watch = Stopwatch({"decode": sum(photo.seconds for photo in photos), "embed": 0.0})
    timed = TimedEncoder(encoder, watch)
    for photo in photos:
        scores, vectors = _score(timed, index, photo, headings)
        total = scores.scores if total is None else total + scores.scores
        turned.append(vectors)
        check()
    assert total is not None
    best = _best(scores.rows, total / np.float32(len(photos)), max(top_k, BEST))
    if not best:
        raise no_tiles(index, region)
    points = [_vector(index, hit) for hit in best]
    hits = [replace(hit, heading_deg=turned[0].heading_at(point)) for hit, point in zip(best, points, strict=True)]
    watch.seconds["search"] = time.perf_counter() - began - watch.seconds["embed"]
    return JointRanking(hits, len(scores.rows), tuple(one.heading_at(points[0]) for one in turned), watch.seconds)


def no_tiles(index: SearchableIndex, region: Region | None = None) -> NoTilesInRegion:
    """The error of an area without tiles, or of one without recent ones."""
    if isinstance(region, RecentImagery):
        dates = ", ".join(index.dates)
        return NoTilesInRegion(
            f"index {index.name} has no imagery since {region.since}{' there' if region.area else ''}; it has imagery "
            f"of {dates}. Take an earlier day, or leave it out"
        )
    edges = ", ".join(f"{edge:.5f}" for edge in index.bounds.as_tuple())
    return NoTilesInRegion(
        f"none of the {counted(index.count, 'tile')} of index {index.name} touches the given area; they lie in {edges} "
        "(west, south, east, north). Widen the area, or leave it out (are latitude and longitude swapped?)"
    )


def _score(
    encoder: TurnEncoder, index: SearchableIndex, photo: PreparedPhoto, headings: int
) -> tuple[AllScores, _Turned]:
    """Every point's score, at the heading that suits it best where that is unknown."""
    if photo.view.heading_deg is not None:
        vectors = encoder.encode_ground(photo.canvas[np.newaxis])
        return index.score_all(vectors, region=photo.region), _Turned(vectors, [photo.view.heading_deg])
    columns = photo.canvas.shape[1]
    found: list[AllScores] = []
    vectors_of: list[_Floats] = []
    headings_deg: list[float] = []

    def compare(turns: NDArray[np.int64], vectors: _Floats) -> _Floats | None:
        vectors_of.append(vectors[0])
        headings_deg.extend(heading_of(turn, columns) for turn in turns[0].tolist())
        found.append(index.score_all(vectors[0], region=photo.region))
        return found[-1].peaks[np.newaxis] if len(found[-1].rows) else None

    sweep_turns(photo.canvas[np.newaxis], encoder, compare, count=headings)
    scores = np.maximum.reduce([one.scores for one in found])
    peaks = np.concatenate([one.peaks for one in found])
    return AllScores(found[0].rows, scores, peaks), _Turned(np.concatenate(vectors_of), headings_deg)


def _best(rows: NDArray[np.int64], scores: _Floats, count: int) -> list[Hit]:
    """The best tiles of scores [R, A], each at its best anchor; equal scores by ascending row."""
    anchors = scores.argmax(axis=1)
    best = scores[np.arange(len(rows)), anchors]
    order = np.argsort(-best, kind="stable")[:count]
    return [Hit(int(rows[at]), float(best[at]), 0.0, int(anchors[at])) for at in order]


def _vector(index: SearchableIndex, hit: Hit) -> _Floats:
    vector: _Floats = index.vector(hit.row)[hit.anchor].astype(np.float32)
    return vector
