"""Open an index wherever it lies, and its calibrations."""

from __future__ import annotations

import datetime
from pathlib import Path

from indexer.common.errors import IndexDamaged, NotInDatabase
from indexer.confidence.calibration import Calibration, Calibrations
from indexer.confidence.storage import load_calibrations
from indexer.index.searchable import SearchableIndex
from indexer.index.tile_index import TileIndex
from indexer.milvus.address import MilvusAddress, parse_index
from indexer.milvus.milvus_index import MilvusIndex

__all__ = ["calibrations_of", "open_index"]


def open_index(
    place: Path | str | MilvusAddress,
    *,
    verify: bool = False,
    exact: bool = False,
    since: datetime.date | None = None,
    scan_on: str | None = None,
) -> SearchableIndex:
    """Open a folder, or a collection of Milvus.

    Args:
        place: a folder's path, or an address `milvus:...`.
        verify: hash all files of a folder at once.
        exact: compare every tile with every query, whatever lists there are.
        since: leave out imagery that is older, or of which no date was said.
        scan_on: device that compares every tile of a folder; None for the processors.

    Raises:
        ValueError: the address is none.
        GeoLocalizationError: as `TileIndex.open` and `MilvusIndex.open`.
    """
    where = parse_index(place) if isinstance(place, str) else place
    if isinstance(where, MilvusAddress):
        if scan_on is not None:
            raise NotInDatabase(f"{where} is searched by its database, not on {scan_on}; leave --scan-on out")
        return MilvusIndex.open(where, exact=exact, since=since)
    return TileIndex.open(where, verify=verify, exact=exact, since=since, scan_on=scan_on)


def calibrations_of(index: SearchableIndex) -> Calibrations:
    """How sure its answers are; of a folder, what cannot be used is left out with a warning.

    Raises:
        IndexDamaged: those of a collection cannot be read.
    """
    if isinstance(index, TileIndex):
        return load_calibrations(index.folder, index.manifest)
    if not isinstance(index, MilvusIndex):
        return Calibrations()
    try:
        return Calibrations(tuple(Calibration.from_json(one) for one in index.card.calibrations))
    except (KeyError, TypeError, ValueError) as error:
        raise IndexDamaged(
            f"{index.address} holds a calibration that cannot be: {error!r}; publish it again"
        ) from error
