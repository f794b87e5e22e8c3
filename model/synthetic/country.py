"""Countries: how a world builds and what grows there. Every seed has one, drawn from one of two families.

Seeds below `ABROAD` are of the family that training sees. From there on they are of the other one, whose draws lie
beyond the ranges of the first, so that a cross-area test meets ways of building that were never trained on. From
`OPEN` on they are of a third one, open country: long bending roads through woods and fields, and no custom in colours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.synthetic.hashing import unit

__all__ = ["ABROAD", "OPEN", "Country", "country_of"]

ABROAD = 200
"""First seed of the second family."""

OPEN = 401
"""First seed of the third family; the one before it is the demo region's."""

_Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Country:
    """What the districts of one world have in common.

    Attributes:
        streets: factor on the distance of streets.
        lots: factor on the width of building lots.
        floors: factor on the height of buildings.
        gables: share of houses with a pitched roof.
        trees: factor on the share of places where a tree stands.
        growth: factor on the size of trees.
        roofs: factor on roof colours, RGB.
        walls: factor on wall colours, RGB.
        plants: factor on the colours of whatever grows, RGB.
        styles: cumulative shares of suburb, town, industry, rural and open districts; the last is 1.
        bend_m: how far a street strays from the straight line, over some 200 m.
        conifers: share of trees that taper to a point.
        freedom: spread of the colours of ground, roads and trees from block to block, 0 to 1; where it is above 0,
            roads have verges and kerbs of any width, and woods an undergrowth.
    """

    streets: float
    lots: float
    floors: float
    gables: float
    trees: float
    growth: float
    roofs: _Colour
    walls: _Colour
    plants: _Colour
    styles: tuple[float, float, float, float, float]
    bend_m: float = 26.0
    conifers: float = 0.0
    freedom: float = 0.0


def country_of(seed: int) -> Country:
    """The country of a world; the same on every machine."""
    draw = [float(value) * 2.0 - 1.0 for value in unit(seed, 977, list(range(24)))]
    if seed >= OPEN:
        return _open_country(_drawn_country(draw), seed)
    if seed >= ABROAD:
        draw = [_pushed_out(value) for value in draw]
    return _drawn_country(draw)


def _open_country(country: Country, seed: int) -> Country:
    """Mostly woods and fields, and some of everything else."""
    bend, conifers, *shares = (float(value) for value in unit(seed, 978, list(range(6))))
    ends = [0.22 + 0.1 * shares[0], 0.30 + 0.1 * shares[1], 0.38 + 0.1 * shares[2], 0.44 + 0.12 * shares[3]]
    return replace(
        country,
        styles=(ends[0], ends[1], ends[2], ends[3], 1.0),
        bend_m=20.0 + 90.0 * bend,
        conifers=conifers,
        freedom=1.0,
    )


def _drawn_country(draw: list[float]) -> Country:
    shares = [
        max(0.05, share * (1.0 + 0.6 * value)) for share, value in zip((0.36, 0.3, 0.16, 0.18), draw, strict=False)
    ]
    total = sum(shares)
    ends = [sum(shares[: count + 1]) / total for count in range(3)]
    return Country(
        streets=1.0 + 0.14 * draw[4],
        lots=1.0 + 0.18 * draw[5],
        floors=1.0 + 0.22 * draw[6],
        gables=min(1.0, max(0.0, 0.7 + 0.25 * draw[7])),
        trees=1.0 + 0.35 * draw[8],
        growth=1.0 + 0.15 * draw[9],
        roofs=_tint(draw[10:13], 0.14),
        walls=_tint(draw[13:16], 0.10),
        plants=_tint(draw[16:19], 0.10),
        styles=(ends[0], ends[1], ends[2], 1.0, 1.0),
    )


def _pushed_out(value: float) -> float:
    """From [-1, 1] to the outer third of [-1.5, 1.5]."""
    return (1.0 + 0.5 * abs(value)) * (1.0 if value >= 0 else -1.0)


def _tint(draw: list[float], spread: float) -> _Colour:
    return 1.0 + spread * draw[0], 1.0 + spread * draw[1], 1.0 + spread * draw[2]
