"""An index in a Milvus collection, opened to be searched."""

from __future__ import annotations

import datetime
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.encoders import EncoderIdentity
from indexer.common.errors import BadQuery, DatabaseFault, NoSuchIndex, NotInDatabase, TooManyTiles
from indexer.index.dense import AllScores
from indexer.index.searchable import checked_queries, require_same_encoder
from indexer.index.zones import SearchResult
from indexer.milvus.address import MilvusAddress
from indexer.milvus.card import CARD, IndexCard, SearchWay
from indexer.milvus.connection import Connection
from indexer.milvus.filters import condition, touches
from indexer.milvus.schema import ID, TILE_FIELDS, VECTOR, tile_of
from indexer.tiles.region import BoxRegion, CircleRegion, Region
from indexer.tiles.sources.source import TileImage
from indexer.tiles.tile_table import TileRecord, point_in_tile
from model.common.counted import counted
from model.common.geo import Bounds, LatLon

__all__ = ["MilvusIndex"]

_MOST_HITS = 16_384
"""Milvus's limit of one search."""
_FIRST, _WHOLE, _MORE = 4, 2, 4
"""Vectors asked for at first: some for each tile that is wanted and all of a few; then so many times more."""
_BESIDE = 2
_KEPT_TILES = 65_536
"""Tiles whose place is remembered once it was found."""
_ON_A_TILE_M = 0.01
_FOLDER_HINT = "search an index folder instead"


class MilvusIndex:
    """A tile corpus in a collection that `publish` made. Searching is thread-safe.

    A row is the number of a tile in the collection. What is opened is one version: publishing another makes a new
    collection and leaves this one for as long as it is the last but one.

    Example:
        >>> index = MilvusIndex.open(parse_milvus("milvus://db:19530/city"))  # doctest: +SKIP

    Attributes:
        address: as it was given.
        card: what the collection says of itself.
    """

    folder: Path | None = None
    """It has no files here."""
    has_pictures = False
    """A collection holds places and vectors, no pictures."""

    def __init__(
        self,
        connection: Connection,
        collection: str,
        card: IndexCard,
        *,
        way: SearchWay,
        since: datetime.date | None = None,
    ) -> None:
        self.address = connection.address
        self.card = card
        self._connection = connection
        self._collection = collection
        self._way = way
        self._since = since
        self._tiles: OrderedDict[int, TileRecord] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, address: MilvusAddress, *, exact: bool = False, since: datetime.date | None = None) -> MilvusIndex:
        """Connect and read what the collection says of itself.

        Args:
            address: where it lies.
            exact: compare every vector.
            since: leave out imagery that is older, or has no date.

        Raises:
            NoSuchIndex: there is no such collection, or nothing was published into it.
            IndexDamaged: what it says of itself was changed.
            IndexVersion: another version of the software published it.
            BadQuery: its vectors cannot be compared exactly, or it has no imagery since then.
            MissingExtra: the client is not installed.
            DatabaseAway: the server does not answer.
            DatabaseFault: it refuses.
        """
        connection = Connection(address)
        try:
            collection, card = find_version(connection)
            way = card.search.exhaustive() if exact else card.search
            if way is None:
                raise BadQuery(
                    f"{address} is searched by {card.search.kind}, which cannot compare every vector; leave --exact "
                    "out, or publish the index with --lists FLAT or IVF_FLAT"
                )
            if since is not None and not any(date >= since.isoformat() for date in card.dates if date != "no date"):
                raise BadQuery(f"{address} has no imagery since {since}; it has imagery of {', '.join(card.dates)}")
            connection.call("load_collection", collection, timeout_s=max(60.0, address.timeout_s))
        except BaseException:
            connection.close()
            raise
        return cls(connection, collection, card, way=way, since=since)

    @property
    def name(self) -> str:
        """The collection's."""
        return self.address.collection

    @property
    def digest(self) -> str:
        """SHA-256 hex identity of the content, that of the folder that was published."""
        return self.card.digest

    @property
    def count(self) -> int:
        """Number of tiles."""
        return self.card.count

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self.card.dim

    @property
    def anchors(self) -> int:
        """Number of vectors of each tile."""
        return len(self.card.anchors)

    @property
    def anchor_points(self) -> list[tuple[float, float]]:
        """Where in a tile its vectors are centred: (east, south) of its centre, in shares of its side."""
        return self.card.anchors

    @property
    def bounds(self) -> Bounds:
        """Box around all tiles."""
        return self.card.bounds

    @property
    def dates(self) -> list[str]:
        """Dates of the imagery, ascending; "no date" for what has none."""
        return self.card.dates

    @property
    def zooms(self) -> list[int]:
        """Zooms of the tiles that lie on the Web Mercator grid, ascending."""
        return self.card.zooms

    def require_encoder(self, encoder: EncoderIdentity) -> None:
        """Make sure that an encoder's vectors may be compared with these.

        Raises:
            IndexMismatch: the index was built by another encoder.
        """
        require_same_encoder(encoder, self.card.encoder, self.dim, str(self.address))

    def search(self, queries: NDArray[np.float32], *, top_k: int, region: Region | None = None) -> list[SearchResult]:
        """The most similar tiles of each query.

        An answer is exact where the database compares every vector; lists are all visited where there is an area.
        `scanned` is the number of all tiles then, or with an area and with lists that of the tiles which the database
        handed over.

        Args:
            queries: [Q, D] unit vectors.
            top_k: how many tiles; fewer come back where the area holds fewer.
            region: look only at tiles that touch it.

        Raises:
            BadQuery: top_k below one or too large, or queries not finite or of another shape.
            NotInDatabase: the area is of another kind than box, circle, polygons and track.
            TooManyTiles: so much of the box around the area lies outside it that the best tiles were not reached.
            DatabaseAway: the server does not answer.
            DatabaseFault: it refuses.
        """
        queries = checked_queries(queries, top_k, self.dim)
        if top_k > _MOST_HITS:
            raise self._too_many(top_k, region)
        told = condition(region, since=self._since, crossing=self.card.crossing)
        way = (self._way.exhaustive() if told else None) or self._way  # lists hold few of an area's tiles: visit all
        found: dict[int, SearchResult] = {}
        waiting, wanted = list(range(len(queries))), self._first(top_k, boxed=isinstance(region, BoxRegion | None))
        while waiting:
            answers = self._ask(queries[waiting], told, wanted, way)
            for number, hits in zip(waiting, answers, strict=True):
                result = self._result(hits, top_k, region, whole=len(hits) < wanted, way=way)
                if result is not None:
                    found[number] = result
                elif wanted >= _MOST_HITS:
                    raise self._too_many(top_k, region)
            waiting, wanted = [number for number in waiting if number not in found], min(_MOST_HITS, _MORE * wanted)
        return [found[number] for number in range(len(queries))]

    def score_all(
        self,
        queries: NDArray[np.float32],  # noqa: ARG002
        *,
        region: Region | None = None,  # noqa: ARG002
    ) -> AllScores:
        """Not offered: a database gives the best vectors, and this adds up the scores of all.

        Raises:
            NotInDatabase: always.
        """
        raise NotInDatabase(
            f"photos of one place are answered together from the scores of every tile, and index {self.name} in a "
            f"database gives those of the best only; ask for one photo at a time, or {_FOLDER_HINT}"
        )

    def tile(self, row: int) -> TileRecord:
        """The tile of a row.

        Raises:
            BadQuery: there is no such row.
            DatabaseAway: the server does not answer.
        """
        with self._lock:
            if (known := self._tiles.get(row)) is not None:
                return known
        return tile_of(self._row(row, TILE_FIELDS))

    def vector(self, row: int) -> NDArray[np.float16]:
        """float16 [A, D] of a tile's anchors.

        Raises:
            BadQuery: there is no such row.
            DatabaseAway: the server does not answer.
        """
        ids = [row * self.anchors + anchor for anchor in range(self.anchors)]
        rows = self._query(f"{ID} in {ids}", [ID, VECTOR], len(ids))
        if len(rows) < len(ids):
            raise self._no_row(row)
        by_id = {int(one[ID]): one[VECTOR] for one in rows}
        return np.array([by_id[number] for number in ids], np.float16)

    def point(self, row: int, anchor: int, shift: tuple[float, float] = (0.0, 0.0)) -> LatLon:
        """Where an anchor of a tile lies on the ground, moved east and south by shares of the tile's side."""
        tile = self.tile(row)
        return point_in_tile((tile.lat, tile.lon), tile.bounds.as_tuple(), self.card.anchors[anchor], shift)

    def covers(self, place: LatLon) -> bool:
        """Whether a tile lies there."""
        region = CircleRegion(place, _ON_A_TILE_M)
        told = condition(region, since=self._since, crossing=self.card.crossing)
        rows = self._query(told, [ID, *TILE_FIELDS], _MOST_HITS)
        return bool(touches(region, [tile_of(row) for row in rows]).any())

    def picture(self, row: int, *, at_least_px: tuple[int, int] | None = None) -> Image.Image | None:  # noqa: ARG002
        """None: a collection holds no pictures."""
        return None

    def tile_image(self, z: int, x: int, y: int) -> TileImage | None:  # noqa: ARG002
        """None: a collection holds no pictures."""
        return None

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def _first(self, top_k: int, *, boxed: bool) -> int:
        """How many vectors are asked for at first; of other areas than boxes some lie outside."""
        wanted = top_k if self.anchors == 1 else _FIRST * top_k + _WHOLE * self.anchors
        return min(_MOST_HITS, wanted if boxed else _BESIDE * wanted)

    def _ask(self, queries: NDArray[np.float32], told: str, limit: int, way: SearchWay) -> list[list[dict[str, Any]]]:
        """For each query (row, anchor, score) and tile of the best vectors, best first."""
        answers = self._call(
            "search",
            data=list(queries),
            anns_field=VECTOR,
            limit=limit,
            filter=told,
            output_fields=TILE_FIELDS,
            search_params=way.params(limit),
        )
        return [[{ID: hit[ID], "score": hit["distance"], **hit["entity"]} for hit in one] for one in answers]

    def _result(
        self, hits: list[dict[str, Any]], top_k: int, region: Region | None, *, whole: bool, way: SearchWay
    ) -> SearchResult | None:
        """The answer that some vectors, best first, make; None where more vectors might change it.

        The first vector of a tile is its best, and tiles without any in the list score no more than the last.
        """
        first: dict[int, dict[str, Any]] = {}
        for hit in hits:
            first.setdefault(int(hit[ID]) // self.anchors, hit)
        tiles = [tile_of(hit) for hit in first.values()]
        inside = np.flatnonzero(touches(region, tiles))
        if len(inside) < top_k and not whole:
            return None
        rows, best = np.array(list(first), np.int64), list(first.values())
        self._remember((int(rows[at]), tiles[at]) for at in inside[:top_k].tolist())
        rows = rows[inside]
        scores = np.array([best[at]["score"] for at in inside.tolist()], np.float32)
        anchors = np.array([int(best[at][ID]) % self.anchors for at in inside.tolist()], np.int64)
        order = np.lexsort((rows, -scores))[:top_k]
        exact = way == self.card.search.exhaustive()
        scanned = self.count if exact and region is None and self._since is None else len(tiles)
        return SearchResult(rows[order], scores[order], anchors[order], exact=exact, scanned=scanned)

    def _remember(self, tiles: Iterable[tuple[int, TileRecord]]) -> None:
        with self._lock:
            for row, tile in tiles:
                self._tiles[row] = tile
                self._tiles.move_to_end(row)
            while len(self._tiles) > _KEPT_TILES:
                self._tiles.popitem(last=False)

    def _row(self, row: int, names: list[str]) -> dict[str, Any]:
        rows = self._query(f"{ID} == {int(row) * self.anchors}", [ID, *names], 1)
        if not rows:
            raise self._no_row(row)
        return rows[0]

    def _query(self, told: str, names: list[str], limit: int) -> list[dict[str, Any]]:
        rows = self._call("query", filter=told, output_fields=names, limit=limit)
        return [dict(row) for row in rows]

    def _call(self, method: str, **options: Any) -> Any:
        """Ask the collection; a server that was started anew may have to load it first."""
        try:
            return self._connection.call(method, self._collection, **options)
        except DatabaseFault as error:
            if "not loaded" not in str(error):
                raise
        self._connection.call("load_collection", self._collection)
        return self._connection.call(method, self._collection, **options)

    def _no_row(self, row: int) -> BadQuery:
        return BadQuery(f"row {row} is not in {self.address}; it has rows 0 to {self.count - 1}")

    def _too_many(self, top_k: int, region: Region | None) -> TooManyTiles:
        what = "" if region is None else f" that touch the area {type(region).__name__}"
        return TooManyTiles(
            f"the {_MOST_HITS:,} best vectors that index {self.name} gives at once hold fewer than "
            f"{counted(top_k, 'tile')}{what}; ask for fewer, for a box or a smaller area, or {_FOLDER_HINT}"
        )


def find_version(connection: Connection) -> tuple[str, IndexCard]:
    """The collection that a name stands for now, and what it says of itself.

    Raises:
        NoSuchIndex: there is none, or nothing was published into it.
        IndexDamaged: what it says was changed.
        IndexVersion: another version of the software published it.
    """
    address = connection.address
    try:
        described = connection.call("describe_collection", address.collection)
    except DatabaseFault as error:
        raise NoSuchIndex(
            f"there is no collection {address.collection} at {address.uri} ({error}); make it with "
            f"`python -m indexer publish --index FOLDER --to {address}`"
        ) from error
    text = (described.get("properties") or {}).get(CARD)
    if not text:
        raise NoSuchIndex(
            f"{address} is a collection of something else, or its publishing has not ended; publish the index again"
        )
    return str(described["collection_name"]), IndexCard.from_text(text, str(address))
