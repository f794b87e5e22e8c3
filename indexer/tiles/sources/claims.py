"""What a source says of itself, held against its rows. Where two statements disagree the build stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.grid import tile_bounds
from indexer.tiles.region import BoxRegion
from indexer.tiles.sources.schemes import AUTO, ROW_SCHEMES, in_words, to_xyz
from indexer.tiles.sources.shifted_rows import shift_of_tiles
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.zoom_levels import turned_zooms
from model.common.geo import Bounds, LatLon

__all__ = ["Claim", "doubts_of_names", "refuse_geodetic_rows", "settle_scheme"]

_WHOLE = 0.999
_MOST = 0.9
_INSET = 0.01
"""Share of a tile by which it must reach into a box; neighbours share an edge with it."""
_SIGNIFICANT = 0.1
_COMPARED = 100_000

_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Claim:
    """One statement of a source about itself.

    Attributes:
        origin: where it stands, such as `tilemapresource.xml`.
        scheme: how it says that rows are counted; empty where it does not say.
        boxes: where it says that its tiles lie; several where the statement can be read in several ways.
        centres: a place that it says is the middle of its tiles, read in each way; counts where there is no box.
        zooms: the least and the deepest that it says there are.
        other_grid: the tile grid that it names where that is not the one of Web Mercator.
        note: a remark for the user.
    """

    origin: str
    scheme: str = ""
    boxes: tuple[Bounds, ...] = ()
    centres: tuple[LatLon, ...] = ()
    zooms: tuple[int, int] | None = None
    other_grid: str = ""
    note: str = ""


def settle_scheme(
    stored: _Ints, claims: Sequence[Claim], options: SourceOptions, where: Path, *, usual: str
) -> tuple[str, list[str]]:
    """How the rows of a source are counted, and remarks for the user.

    Args:
        stored: int64 [N, 3] (z, first, second) as the source holds them, all on the grid.
        claims: what the source says of itself.
        options: `scheme` overrules every statement.
        where: the source, for messages.
        usual: what the format means where nothing is said.

    Raises:
        BadSource: two statements disagree, or one names another grid; the message names the option that settles it.
    """
    levels = _levels(stored, options)
    notes = [claim.note for claim in claims if claim.note] + _other_zooms(levels, claims)
    if options.scheme != AUTO:
        faults = [fault for rows in levels for claim in claims if (fault := _fault(rows, options.scheme, claim))]
        faults += turned_zooms(stored, options.scheme, options.zooms or ()) + _overruled(claims, options.scheme)
        return options.scheme, notes + [
            f"warning: {fault}; taken as --scheme {options.scheme} says" for fault in faults
        ]
    scheme, origin = _said(claims, where, usual)
    for rows in levels:
        for claim in claims:
            if fault := _misfit(rows, scheme, claim):
                alone = not all(_misfit(others, scheme, claim) for others in levels)
                raise BadSource(f"{where}: {fault}. {_remedy(rows, scheme, claim, alone=alone)}")
            if fault := _shifted(rows, scheme, claim):
                raise BadSource(
                    f"{where}: {fault}. Make the source anew, or give --scheme {scheme} if its rows are right"
                )
            notes += _strays(rows, scheme, claim)
    if faults := turned_zooms(stored, scheme, options.zooms or ()):
        raise BadSource(f"{where}: {faults[0]}. Index each zoom by itself, with --zoom and --scheme")
    if origin and scheme != usual:
        notes.append(f"rows are taken as {in_words(scheme)}, as {origin} says")
    return scheme, notes


def doubts_of_names(
    zxy: _Ints, claims: Sequence[Claim], options: SourceOptions, where: Path, *, row_scheme: str
) -> list[str]:
    """Remarks on tiles that are placed by names of another form than z/x/y, held against what the source says.

    Args:
        zxy: int64 [N, 3] (z, x, y southwards).
        claims: what the source says of itself.
        options: a `scheme` that was asked for makes a warning of what stops the build otherwise.
        where: the source, for messages.
        row_scheme: how the names count their rows, empty where they have none, as quadkeys.

    Raises:
        BadSource: the tiles lie elsewhere than the source says.
    """
    levels = _levels(zxy, options)
    faults = [fault for rows in levels for claim in claims if (fault := _misfit(rows, "xyz", claim, by_name=True))]
    asked = options.scheme != AUTO
    if faults and not asked:
        raise BadSource(f"{where}: {faults[0]}. Give --scheme quadkey if the names are right")
    faults += _overruled([claim for claim in claims if claim.scheme != "zyx"], row_scheme) if row_scheme else []
    notes = [claim.note for claim in claims if claim.note] + _other_zooms(levels, claims)
    return notes + [f"warning: {fault}; taken as --scheme {options.scheme} says" for fault in faults]


def refuse_geodetic_rows(stored: _Ints, kept: NDArray[np.bool_], where: Path) -> None:
    """Stop where many rows lie beyond the Web Mercator grid and all of those on the geodetic one, twice as wide.

    Args:
        stored: int64 [N, 3] (z, first, second) as the source holds them.
        kept: bool [N], the rows on the Web Mercator grid.
        where: the source, for messages.

    Raises:
        BadSource: it is such a source.
    """
    beyond = stored[~kept]
    if len(beyond) < _SIGNIFICANT * len(stored) or not len(beyond):
        return
    side = np.int64(1) << np.clip(beyond[:, 0], 0, 62)
    if ((beyond[:, 1] >= side) & (beyond[:, 1] < 2 * side) & (beyond[:, 2] < side) & (beyond[:, 0] <= 30)).all():
        example = "/".join(map(str, beyond[0].tolist()))
        raise BadSource(
            f"{where} has {len(beyond):,} of {len(stored):,} tiles east of the Web Mercator grid, such as {example}, "
            "as the geodetic grid (EPSG:4326, two tiles wide at zoom 0) has them. Make Web Mercator tiles of them, or "
            "give --scheme if they are such tiles"
        )


def _said(claims: Sequence[Claim], where: Path, usual: str) -> tuple[str, str]:
    """(scheme, who says so) that all statements agree on."""
    for claim in claims:
        if claim.other_grid:
            raise BadSource(
                f"{where}: {claim.origin} says that these are tiles of {claim.other_grid}, not of the Web Mercator "
                "grid (EPSG:3857). Make Web Mercator tiles of them, or give --scheme if they are such tiles"
            )
    said = {claim.scheme: claim.origin for claim in claims if claim.scheme}
    if len(said) > 1:
        each = " but ".join(f"{origin} says {in_words(scheme)}" for scheme, origin in said.items())
        raise BadSource(f"{where}: {each}. Give --scheme {' or --scheme '.join(said)} to say which is right")
    return next(iter(said.items()), (usual, ""))


def _overruled(claims: Sequence[Claim], scheme: str) -> list[str]:
    """What is said of the order of rows or of the grid, and is not what was asked for."""
    said = {claim.scheme: claim.origin for claim in claims if claim.scheme not in ("", scheme)}
    grids = {claim.other_grid: claim.origin for claim in claims if claim.other_grid}
    return [f"{origin} says that rows are counted as {in_words(one)}" for one, origin in said.items()] + [
        f"{origin} says that these are tiles of {grid}" for grid, origin in grids.items()
    ]


def _levels(stored: _Ints, options: SourceOptions) -> list[_Ints]:
    """The rows of each zoom that is going to be indexed, the deepest last, evenly thinned out where they are many."""
    if not len(stored):
        return []
    levels = [stored[stored[:, 0] == zoom] for zoom in options.zooms or (int(stored[:, 0].max()),)]
    return [rows[:: max(1, -(-len(rows) // _COMPARED))] for rows in levels if len(rows)]


def _misfit(rows: _Ints, scheme: str, claim: Claim, *, by_name: bool = False) -> str:
    """How the rows contradict a statement of place: most lie elsewhere, or all would fit in another order.

    A centre is often that of a map rather than of the tiles, so it counts only where another order fits it.
    """
    if not len(rows) or scheme not in ROW_SCHEMES or not (claim.boxes or claim.centres):
        return ""
    fit = _fit(rows, scheme, claim)
    rival = max(_fit(rows, other, claim) for other in ROW_SCHEMES)
    if fit >= _WHOLE or (rival < _WHOLE and (fit >= 0.5 or not claim.boxes)):
        return ""
    west, south, east, north = tile_bounds(*to_xyz(rows, scheme).T)
    lie = f"{west.min():.5f}, {south.min():.5f}, {east.max():.5f}, {north.max():.5f} (west, south, east, north)"
    if claim.boxes:
        said = f"lie in {', '.join(f'{edge:.5f}' for edge in claim.boxes[0].as_tuple())}"
    else:
        said = f"have their centre at {claim.centres[0]}"
    taken = "their names" if by_name else f"the rows, taken as {in_words(scheme)},"
    return f"{claim.origin} says that the tiles {said}, but {taken} lie in {lie}"


def _fault(rows: _Ints, scheme: str, claim: Claim) -> str:
    return _misfit(rows, scheme, claim) or _shifted(rows, scheme, claim)


def _shifted(rows: _Ints, scheme: str, claim: Claim) -> str:
    """How all rows lie one tile beside a stated place, where it can be read in one way alone."""
    if scheme not in ROW_SCHEMES or len(claim.boxes) != 1 or not len(rows):
        return ""
    where = shift_of_tiles(to_xyz(rows, scheme), claim.boxes[0])
    if not where:
        return ""
    edges = ", ".join(f"{edge:.5f}" for edge in claim.boxes[0].as_tuple())
    return (
        f"{claim.origin} says that the tiles lie in {edges}, but the rows, taken as {in_words(scheme)}, all lie one "
        f"tile further {where}, as where they are counted from 1"
    )


def _remedy(rows: _Ints, scheme: str, claim: Claim, *, alone: bool) -> str:
    """What to do about rows that do not fit; `alone` where those of another zoom do."""
    fits = [other for other in ROW_SCHEMES if other != scheme and _fit(rows, other, claim) >= _MOST]
    if alone:
        each = f", with --scheme {fits[0]} if the place is right" if fits else ""
        return f"These are the rows of zoom {rows[0, 0]}: index it by itself (--zoom {rows[0, 0]}){each}"
    turned = "".join(f"Give --scheme {other} if the place is right: so taken, the rows fit it. " for other in fits)
    return f"{turned}Give --scheme {scheme} if the rows are right"


def _other_zooms(levels: list[_Ints], claims: Sequence[Claim]) -> list[str]:
    """Remarks where a zoom to be indexed is not one of those stated; a place does not depend on it."""
    return [
        f"warning: {claim.origin} says that the zooms are {claim.zooms[0]} to {claim.zooms[1]}, and zoom {zoom} is "
        "indexed; --zoom chooses another"
        for claim in claims
        for zoom in (int(rows[0, 0]) for rows in levels)
        if claim.zooms and not claim.zooms[0] <= zoom <= claim.zooms[1]
    ]


def _strays(rows: _Ints, scheme: str, claim: Claim) -> list[str]:
    fit = _fit(rows, scheme, claim) if claim.boxes and len(rows) else 1.0  # of a centre there is only yes or no
    if fit >= _MOST:
        return []
    return [f"warning: {1 - fit:.0%} of the tiles lie outside the place that {claim.origin} gives"]


def _fit(rows: _Ints, scheme: str, claim: Claim) -> float:
    """Share of the rows that reach into the place, read in the way that suits best."""
    west, south, east, north = tile_bounds(*to_xyz(rows, scheme).T)
    if not claim.boxes:
        edges = west.min(), south.min(), east.max(), north.max()
        return float(any(_holds(centre, *edges) for centre in claim.centres))
    across, up = _INSET * (east - west), _INSET * (north - south)
    inset = west + across, south + up, east - across, north - up
    return max(float(BoxRegion(box).mask(*inset).mean()) for box in claim.boxes)


def _holds(place: LatLon, west: float, south: float, east: float, north: float) -> bool:
    return west <= place.lon <= east and south <= place.lat <= north
