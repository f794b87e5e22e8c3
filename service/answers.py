"""From a `Localization` to the JSON answer of the contract."""

from __future__ import annotations

import numpy as np

from indexer.index.tile_index import TileIndex
from indexer.tiles.tile_table import TileRecord
from service import schemas
from service.localizer import Localization, Localizer, Match

__all__ = ["describe", "json_answer", "picture_zooms", "tile_url"]


def json_answer(found: Localization, localizer: Localizer, *, root: str = "") -> schemas.LocalizeAnswer:
    """The answer to one photo.

    Args:
        found: what the localizer found.
        localizer: who found it.
        root: path under which a proxy mounts the service, without a closing slash.
    """
    model, index = describe(localizer)
    position = found.position
    return schemas.LocalizeAnswer(
        matches=[_match(match, localizer.index, root) for match in found.matches],
        estimate=schemas.Estimate(
            lat=position.centre.lat,
            lon=position.centre.lon,
            radius_m=round(position.radius_m, 1),
            confidence=None if position.confidence is None else round(position.confidence, 4),
            confidence_radius_m=position.confidence_radius_m,
        ),
        warnings=list(found.warnings),
        model=model,
        index=index,
        timings_ms=schemas.Timings(**{step: round(1000 * value, 2) for step, value in found.seconds.items()}),
    )


def describe(localizer: Localizer) -> tuple[schemas.ModelInfo, schemas.IndexInfo]:
    """Which encoder and which index answer."""
    encoder, index = localizer.encoder, localizer.index
    return (
        schemas.ModelInfo(name=encoder.name, digest=encoder.digest),
        schemas.IndexInfo(name=index.name, tiles=index.count, digest=index.digest),
    )


def tile_url(tile: TileRecord, index: TileIndex, root: str) -> str | None:
    """Where the service gives a tile's picture; None where it cannot."""
    if tile.z is None or tile.x is None or tile.y is None or index.source is None:
        return None
    return f"{root}/tiles/{tile.z}/{tile.x}/{tile.y}"


def picture_zooms(index: TileIndex) -> list[int]:
    """Zoom levels of the tiles whose pictures the service can give, ascending."""
    zooms = np.unique(index.tiles.z)
    return [int(zoom) for zoom in zooms if zoom >= 0] if index.source is not None else []


def _match(match: Match, index: TileIndex, root: str) -> schemas.Match:
    tile = match.tile
    return schemas.Match(
        rank=match.rank,
        tile_id=tile.tile_id,
        lat=tile.lat,
        lon=tile.lon,
        bounds=tile.bounds.as_tuple(),
        score=match.score,
        heading_deg=match.heading_deg,
        image_url=tile_url(tile, index, root),
    )
