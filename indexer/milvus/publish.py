"""Put the tiles of an index folder into a Milvus collection.

Every publishing makes a collection of its own, and the name that people use is an alias, which is moved once all is
there: whoever searches sees the index before or after, and one that was killed leaves the alias where it was. The
version before is kept for those who have it open; older ones, and what a kill left, are dropped.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexer.common.errors import DatabaseAway, DatabaseFault, IndexDamaged, IndexVersion, NoSuchIndex
from indexer.confidence.calibration import Calibrations
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.milvus.address import MilvusAddress
from indexer.milvus.card import CARD, IndexCard, SearchWay
from indexer.milvus.connection import Connection
from indexer.milvus.milvus_index import MilvusIndex, find_version
from indexer.milvus.recall import recall_of, turned_vectors
from indexer.milvus.schema import VECTOR, entities, make_schema, widths
from model._version import VERSION
from model.common.counted import counted
from model.common.errors import OutputExists

__all__ = ["Published", "publish_index", "search_way"]

_OF = "clnet.of"
"""The property that says, from the first moment, which name a collection was made for."""
_BATCH_BYTES = 4 << 20
_ROW_BYTES = 256
"""Of a row beside its vector, about."""
_LONG_S = 24 * 3600.0
"""For what takes as long as there are tiles."""
_MOST_LISTS = 65_536
_TRIED = 64
"""Queries that the recall is measured on."""
_VECTORS_A_LIST = 39
"""As k-means wants at least."""


@dataclass(frozen=True)
class Published:
    """What became of it.

    Attributes:
        collection: the one that was made.
        count: tiles.
        vectors: rows.
        dropped: former versions that are gone now.
        recall: share of the ten exact answers that is found there, on vectors with noise; None where all are.
    """

    collection: str
    count: int
    vectors: int
    dropped: int
    recall: float | None


def search_way(kind: str, vectors: int, effort: int | None = None) -> SearchWay:
    """How a database is to look for so many vectors.

    Args:
        kind: FLAT, IVF_FLAT, HNSW or AUTOINDEX.
        vectors: number of vectors.
        effort: lists that a search visits, or candidates on the graph; by default 1 list of 16, or 128 candidates.
    """
    if kind == "IVF_FLAT":
        lists = max(1, min(_MOST_LISTS, round(4 * math.sqrt(vectors)), vectors // _VECTORS_A_LIST))
        return SearchWay(kind, {"nlist": lists}, min(lists, effort or max(1, lists // 16)))
    if kind == "HNSW":
        return SearchWay(kind, {"M": 16, "efConstruction": 200}, effort or 128)
    return SearchWay(kind)


def publish_index(
    index: TileIndex,
    address: MilvusAddress,
    *,
    way: SearchWay,
    calibrations: Calibrations,
    replacing: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Published:
    """Copy every tile's vectors and place, and what is known of the index.

    Args:
        index: opened with `verify`.
        address: where to.
        way: how the database is to search.
        calibrations: how sure answers are.
        replacing: put it in the place of what was published there.
        on_progress: called with the number of tiles just written.

    Raises:
        OutputExists: something was published there, and it is not to be replaced; or it is a collection of others.
        MissingExtra: the client is not installed.
        DatabaseAway: the server does not answer; what was published before stays.
        DatabaseFault: it refuses; likewise.
    """
    connection = Connection(address)
    try:
        former = _former(connection, replacing=replacing)
        made = f"{address.collection}_{secrets.token_hex(4)}"
        try:
            _fill(connection, made, index, way, on_progress)
            card = _card_of(index, way, calibrations)
            if not way.is_exact:
                queries = turned_vectors(index, _TRIED)
                card = replace(card, recall=recall_of(MilvusIndex(connection, made, card, way=way), index, queries))
            connection.call("alter_collection_properties", made, {CARD: card.as_text()})
            connection.call("alter_alias" if former else "create_alias", made, address.collection)
        except BaseException:
            with suppress(DatabaseAway, DatabaseFault):  # the next publishing drops it
                connection.call("drop_collection", made)
            raise
        dropped = _drop_others(connection, {made, former})
        return Published(made, index.count, index.count * index.anchors, dropped, card.recall)
    finally:
        connection.close()


def _former(connection: Connection, *, replacing: bool) -> str | None:
    """The collection that the name stands for now."""
    address = connection.address
    try:
        described = connection.call("describe_collection", address.collection)
    except DatabaseFault:
        return None  # there is none
    found, properties = str(described["collection_name"]), described.get("properties") or {}
    if found == address.collection or properties.get(_OF) != address.collection:
        raise OutputExists(f"{address} is a collection of something else; choose another name")
    if not replacing:
        with suppress(NoSuchIndex, IndexDamaged, IndexVersion):
            card = find_version(connection)[1]
            raise OutputExists(
                f"{address} holds {counted(card.count, 'tile')} of index {card.name} ({card.digest[:12]}) already; add "
                "--replace to put this index in its place, or choose another name"
            )
    return found


def _fill(
    connection: Connection, made: str, index: TileIndex, way: SearchWay, on_progress: Callable[[int], None]
) -> None:
    schema = make_schema(connection.library, index.dim, widths(index.segments))
    connection.call("create_collection", made, schema=schema, properties={_OF: connection.address.collection})
    for rows in _batches(index):
        connection.call("insert", made, rows, timeout_s=max(60.0, connection.address.timeout_s))
        on_progress(len(rows) // index.anchors)
    connection.call("flush", made, timeout_s=_LONG_S)
    params = connection.library.MilvusClient.prepare_index_params()
    # As one object below "params": both kinds of server read it, while Lite ignores what the client would lay flat.
    params.add_index(VECTOR, index_type=way.kind, metric_type="IP", params={"params": way.build or {}})
    connection.call("create_index", made, params, timeout_s=_LONG_S)
    connection.call("load_collection", made, timeout_s=_LONG_S)
    _require_all(connection, made, index.count * index.anchors)


def _batches(index: TileIndex) -> Iterator[list[dict[str, Any]]]:
    step = max(1, _BATCH_BYTES // (index.anchors * (4 * index.dim + _ROW_BYTES)))
    first = 0
    for segment in index.segments:
        rows = segment.live_rows
        for at in range(0, len(rows), step):
            some = rows[at : at + step]
            yield entities(segment, some, first)
            first += len(some)


def _require_all(connection: Connection, made: str, wanted: int) -> None:
    answer = connection.call("query", made, filter="", output_fields=["count(*)"], consistency_level="Strong")
    if (found := int(answer[0]["count(*)"])) != wanted:
        raise DatabaseFault(
            f"Milvus at {connection.address.uri} holds {found:,} of {wanted:,} vectors that were written; nothing was "
            "published, try again"
        )


def _card_of(index: TileIndex, way: SearchWay, calibrations: Calibrations) -> IndexCard:
    return IndexCard(
        name=index.name,
        digest=index.digest,
        encoder=index.manifest.encoder,
        dim=index.dim,
        anchors=index.anchor_points,
        count=index.count,
        bounds=index.bounds,
        tile_size_m=index.manifest.tile_size_m,
        crossing=any(_crosses(segment) for segment in index.segments),
        dates=index.dates,
        zooms=index.zooms,
        search=way,
        recall=None,
        calibrations=[one.as_json() for one in calibrations.each],
        written_by=VERSION,
    )


def _crosses(segment: Segment) -> bool:
    return bool(np.any(segment.tiles.west > segment.tiles.east))


def _drop_others(connection: Connection, kept: set[str | None]) -> int:
    """Drop what was made for the same name and is neither the present version nor the one before."""
    name = connection.address.collection
    pattern, dropped = re.compile(re.escape(name) + r"_[0-9a-f]{8}"), 0
    for other in connection.call("list_collections"):
        if other in kept or not pattern.fullmatch(other):
            continue
        properties = connection.call("describe_collection", other).get("properties") or {}
        if properties.get(_OF) == name:
            connection.call("drop_collection", other)
            dropped += 1
    return dropped
