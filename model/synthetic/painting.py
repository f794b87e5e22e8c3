"""Painting one district: the ground cover of blocks, the buildings on their lots, the streets between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.synthetic.blocks import BlockKind, Blocks, locate
from model.synthetic.districts import District
from model.synthetic.ground import Material
from model.synthetic.hashing import unit

__all__ = ["Absent", "Paint", "paint_district"]

Absent = tuple[float, float]
"""An interval [low, high) of draws in [0, 1): the buildings that are not there, at some time."""

_Floats = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_ROOFS = np.array(
    [
        [150, 72, 52], [172, 96, 66], [120, 58, 48], [96, 92, 92],
        [70, 74, 82], [132, 124, 112], [190, 186, 178], [92, 110, 96],
    ],
    np.float32,
)  # fmt: skip
_WALLS = np.array(
    [
        [222, 212, 190], [236, 234, 228], [198, 160, 120], [168, 92, 74],
        [206, 196, 120], [150, 170, 186], [120, 120, 124], [214, 170, 160],
    ],
    np.float32,
)  # fmt: skip
_FIELDS = np.array(
    [[104, 130, 58], [150, 146, 76], [186, 168, 98], [120, 94, 66], [88, 116, 60], [166, 150, 110]], np.float32
)
_COVER = {
    BlockKind.HOUSES: (Material.GARDEN, (92, 122, 62)),
    BlockKind.COURT: (Material.GARDEN, (104, 116, 84)),
    BlockKind.HALL: (Material.PAVED, (134, 132, 128)),
    BlockKind.PARK: (Material.PARK, (96, 134, 66)),
    BlockKind.FIELD: (Material.FIELD, (120, 120, 70)),
    BlockKind.WOOD: (Material.WOOD, (62, 82, 44)),
    BlockKind.PARKING: (Material.PAVED, (118, 118, 120)),
    BlockKind.POND: (Material.PARK, (92, 128, 64)),
}
_MAX_LOTS = 12


@dataclass
class Paint:
    """The raster values of N pixels while they are painted (see `Ground`); colours are float [N, 3]."""

    height_m: _Floats
    top: _Floats
    side: _Floats
    material: NDArray[np.uint8]

    @classmethod
    def blank(cls, count: int) -> Paint:
        """Nothing painted yet."""
        colour = np.zeros((count, 3), np.float32)
        return cls(np.zeros(count, np.float32), colour, colour.copy(), np.zeros(count, np.uint8))

    def copy(self) -> Paint:
        """The same, to be painted on independently."""
        return Paint(self.height_m.copy(), self.top.copy(), self.side.copy(), self.material.copy())

    def cover(self, mask: _Mask, material: Material, colour: _Floats | tuple[float, float, float]) -> None:
        """Flat ground: its side is its top."""
        self.height_m[mask] = 0.0
        self.material[mask] = material
        self.top[mask] = colour
        self.side[mask] = colour

    def build(self, mask: _Mask, height_m: _Floats, roof: _Floats, wall: _Floats) -> None:
        """A building: all arrays are of the masked pixels."""
        self.height_m[mask] = height_m
        self.material[mask] = Material.BUILDING
        self.top[mask] = roof
        self.side[mask] = wall


def paint_district(
    district: District,
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
    border_m: _Floats,
    times: Sequence[Absent],
) -> list[Paint]:
    """Paint the pixels [N] of one district, given by plane coordinates and their distance to the district's border.

    One result for each of `times`; the buildings whose own draw lies in that interval are not there, then.
    """
    cosine, sine = district.direction
    dx, dy = x_m - district.centre_m[0], y_m - district.centre_m[1]
    blocks = locate(district, dx * cosine + dy * sine, dy * cosine - dx * sine)
    covers = Paint.blank(len(x_m))
    _paint_covers(covers, district, blocks)
    streets = _streets(district, blocks, border_m)
    paints = [covers, *(covers.copy() for _ in times[1:])]
    for paint, absent in zip(paints, times, strict=True):
        _paint_houses(paint, district, blocks, absent)
        _paint_large(paint, district, blocks, absent)
        _paint_parking(paint, district, blocks)
        for mask, material, colour in streets:
            paint.cover(mask, material, colour)
    return paints


def _tinted(colours: _Floats, tint: tuple[float, float, float]) -> _Floats:
    return colours * np.array(tint, np.float32)


def _within(draw: _Floats, interval: Absent) -> _Mask:
    return (draw >= interval[0]) & (draw < interval[1])


def _paint_covers(paint: Paint, district: District, blocks: Blocks) -> None:
    kind = blocks.kind[blocks.i, blocks.j]
    shade = 0.85 + 0.3 * blocks.table(district.key + 11)[blocks.i, blocks.j]
    for number, (material, colour) in _COVER.items():
        mask = kind == number
        tint = district.country.plants if material != Material.PAVED else (1.0, 1.0, 1.0)
        paint.cover(mask, material, _tinted(np.array(colour, np.float32), tint) * shade[mask, None])
    fields = kind == BlockKind.FIELD
    crop = (blocks.table(district.key + 12) * len(_FIELDS)).astype(np.int64)[blocks.i, blocks.j]
    furrow = np.where((blocks.along_m % 6.0) < 1.5, np.float32(0.88), np.float32(1.0))
    colour = _tinted(_FIELDS, district.country.plants)[crop[fields]] * (shade * furrow)[fields, None]
    paint.cover(fields, Material.FIELD, colour)
    _free_covers(paint, district, blocks)
    _paint_ponds(paint, blocks, kind == BlockKind.POND)
    _paint_paths(paint, blocks, kind == BlockKind.PARK)


def _free_covers(paint: Paint, district: District, blocks: Blocks) -> None:
    """Let the brightness and the tint of each block's ground stray as far as the country's freedom goes."""
    freedom = np.float32(district.country.freedom)
    if not freedom:
        return
    bright, red, blue = (blocks.table(district.key + number)[blocks.i, blocks.j] for number in (91, 92, 93))
    gain = 1.0 + freedom * (0.9 * bright - 0.45)
    paint.top *= np.stack([gain * (1.0 + freedom * (0.55 * red - 0.2)), gain, gain * (0.9 + 0.3 * blue)], axis=1)
    paint.top[:] = paint.top.clip(18, 235)
    paint.side[:] = paint.top


def _paint_ponds(paint: Paint, blocks: Blocks, mask: _Mask) -> None:
    across = (blocks.along_m / blocks.length_m - 0.5) ** 2 + (blocks.across_m / blocks.depth_m - 0.5) ** 2
    paint.cover(mask & (across < 0.09), Material.WATER, (58.0, 84.0, 104.0))


def _paint_paths(paint: Paint, blocks: Blocks, mask: _Mask) -> None:
    diagonal = np.abs(blocks.along_m / blocks.length_m - blocks.across_m / blocks.depth_m) * blocks.length_m
    paint.cover(mask & (diagonal < 1.8), Material.PAVED, (176.0, 164.0, 138.0))


def _paint_houses(paint: Paint, district: District, blocks: Blocks, absent: Absent) -> None:
    """Two rows of lots along each block of houses; on most lots a house with a gable roof, hedges between some."""
    mask = blocks.kind[blocks.i, blocks.j] == BlockKind.HOUSES
    if not mask.any():
        return
    i, j = blocks.i[mask], blocks.j[mask]
    country = district.country
    wanted_m = (17.0 + 14.0 * blocks.table(district.key + 21)[i, j]) * np.float32(country.lots)
    count = np.clip(np.round(blocks.length_m[mask] / wanted_m), 2, _MAX_LOTS)
    lot_m = blocks.length_m[mask] / count
    lot = np.minimum(np.floor(blocks.along_m[mask] / lot_m), count - 1).astype(np.int64)
    row = (blocks.across_m[mask] > blocks.depth_m[mask] / 2).astype(np.int64)
    row_m = blocks.depth_m[mask] / 2
    in_lot = blocks.along_m[mask] - lot * lot_m
    in_row = np.where(row == 0, blocks.across_m[mask], blocks.depth_m[mask] - blocks.across_m[mask])

    def draw(number: int) -> _Floats:
        lots = np.arange(_MAX_LOTS)[:, None], np.arange(2)[None, :]
        table = unit(
            district.key + number,
            blocks.columns[:, None, None, None], blocks.rows[None, :, None, None], lots[0], lots[1],
        )  # fmt: skip
        gathered: _Floats = table[i, j, lot, row]
        return gathered

    half_long = 4.2 + 3.4 * draw(22)
    half_deep = 3.6 + 2.4 * draw(23)
    off_long = in_lot - lot_m * (0.42 + 0.16 * draw(24))
    off_deep = in_row - (district.street_m / 2 + district.kerb_m + 3.5 + half_deep + 5.0 * draw(25))
    wing = (draw(26) < 0.35) & (np.abs(off_long - half_long * 0.55) < half_long * 0.5)
    inside = (np.abs(off_long) < np.minimum(half_long, lot_m / 2 - 1.0)) & (np.abs(off_deep) < half_deep)
    inside |= wing & (off_deep >= 0) & (off_deep < half_deep + 4.0)
    inside &= (draw(27) < 0.9) & (off_deep < row_m - half_deep) & ~_within(draw(37), absent)
    ridge = np.maximum(half_deep - np.abs(off_deep), 0.0) * (0.35 + 0.4 * draw(28))
    roofed = np.where(draw(30) < country.gables, ridge, np.float32(0.6))
    height = (3.2 + 3.6 * draw(29)) * np.float32(country.floors) + roofed
    roof = _tinted(_ROOFS, country.roofs)[(draw(31) * 8).astype(np.int64)] * (0.85 + 0.3 * draw(32))[:, None]
    wall = _tinted(_WALLS, country.walls)[(draw(33) * 8).astype(np.int64)] * (0.8 + 0.25 * draw(34))[:, None]
    hedge = (draw(35) < 0.45) & ((in_lot < 0.8) | (in_row > row_m - 0.6)) & (in_row > 6.0)
    drive = (np.abs(in_lot - 2.6) < 1.4) & (draw(36) < 0.6) & (in_row < 16.0)
    _apply_lots(paint, mask, drive, Material.PAVED, (150.0, 146.0, 140.0), 0.0)
    _apply_lots(paint, mask, hedge, Material.HEDGE, (52.0, 84.0, 40.0), 1.5)
    chosen = np.flatnonzero(mask)[inside]
    target = np.zeros(len(mask), np.bool_)
    target[chosen] = True
    paint.build(target, height[inside].astype(np.float32), roof[inside], wall[inside])


def _apply_lots(
    paint: Paint, mask: _Mask, part: _Mask, material: Material, colour: tuple[float, float, float], height_m: float
) -> None:
    target = np.zeros(len(mask), np.bool_)
    target[np.flatnonzero(mask)[part]] = True
    paint.cover(target, material, colour)
    paint.height_m[target] = height_m


def _paint_large(paint: Paint, district: District, blocks: Blocks, absent: Absent) -> None:
    """Blocks with one building each: courts (a ring round a yard), halls, and here and there a tower."""
    kind = blocks.kind[blocks.i, blocks.j]
    setback = district.street_m / 2 + district.kerb_m
    edge = np.minimum(
        np.minimum(blocks.along_m, blocks.length_m - blocks.along_m),
        np.minimum(blocks.across_m, blocks.depth_m - blocks.across_m),
    )

    def draw(number: int) -> _Floats:
        gathered: _Floats = blocks.table(district.key + number)[blocks.i, blocks.j]
        return gathered

    inset = setback + 1.0 + 6.0 * draw(41)
    wing_m = 9.0 + 5.0 * draw(42)
    gap = np.abs(blocks.along_m - blocks.length_m * (0.2 + 0.6 * draw(43))) < 4.0 + 8.0 * draw(44)
    court = (kind == BlockKind.COURT) & (edge > inset) & (edge < inset + wing_m) & ~(gap & (draw(45) < 0.7))
    hall_inset = setback + 4.0 + 12.0 * draw(46)
    hall = (kind == BlockKind.HALL) & (edge > hall_inset) & (blocks.along_m < blocks.length_m * (0.6 + 0.4 * draw(47)))
    tower_half = 7.0 + 5.0 * draw(48)
    tower = (kind == BlockKind.COURT) & (draw(49) < 0.22)
    tower &= np.abs(blocks.along_m - blocks.length_m * 0.5) < tower_half
    tower &= np.abs(blocks.across_m - blocks.depth_m * 0.5) < tower_half
    part = np.floor(blocks.along_m / (14.0 + 10.0 * draw(50))).astype(np.int64)
    house = unit(district.key + 51, blocks.columns[blocks.i], blocks.rows[blocks.j], part)
    country = district.country
    roof = _tinted(_ROOFS, country.roofs)[(draw(52) * 8).astype(np.int64)] * (0.8 + 0.4 * house)[:, None]
    wall = (
        _tinted(_WALLS, country.walls)[((draw(53) + 0.45 * house) % 1.0 * 8).astype(np.int64)]
        * (0.8 + 0.3 * draw(54))[:, None]
    )
    height = np.where(court, 9.0 + 8.0 * draw(55) + 5.0 * house, 5.5 + 6.0 * draw(56))
    height = (np.where(tower, 24.0 + 22.0 * draw(57), height) * country.floors).astype(np.float32)
    built = (court | hall | tower) & ~_within(draw(58), absent)
    paint.build(built, height[built], roof[built], wall[built])


def _paint_parking(paint: Paint, district: District, blocks: Blocks) -> None:
    """Bays with painted lines, some with a car that stands there long enough to be in both pictures."""
    kind = blocks.kind[blocks.i, blocks.j]
    flat = (kind == BlockKind.PARKING) | ((kind == BlockKind.HALL) & (paint.material == Material.PAVED))
    lane = blocks.across_m % 16.0
    bay, in_bay = np.floor(blocks.along_m / 2.7).astype(np.int64), blocks.along_m % 2.7
    bays = flat & (lane < 10.0)
    paint.cover(bays & (in_bay < 0.4), Material.PAVED, (212.0, 212.0, 208.0))
    line = np.floor(blocks.across_m / 5.0).astype(np.int64)
    here = unit(district.key + 61, blocks.columns[blocks.i], blocks.rows[blocks.j], bay, line)
    car = bays & (here < 0.45) & (in_bay > 0.6) & (in_bay < 2.5) & (blocks.across_m % 5.0 < 4.3)
    tone = 40.0 + 400.0 * here[car, None] * np.array([1.0, 0.95, 0.9], np.float32)
    colour = np.where((here[car, None] * 97.0) % 1.0 < 0.25, tone * np.array([1.1, 0.4, 0.35], np.float32), tone)
    paint.cover(car, Material.PAVED, colour.clip(20, 235).astype(np.float32))
    paint.height_m[car] = 1.5


def _streets(
    district: District, blocks: Blocks, border_m: _Floats
) -> list[tuple[_Mask, Material, tuple[float, float, float]]]:
    """Streets along the block edges (some missing), pavements beside them, an arterial on the district's border."""
    to_street, dash = _street_distance(district, blocks)
    arterial = 0.9 * district.street_m
    half = district.street_m / 2
    paved = (to_street < half + district.kerb_m) | (border_m < arterial + district.kerb_m)
    road = (to_street < half) | (border_m < arterial)
    if district.country.freedom:
        return _free_streets(district, to_street, border_m, dash)
    tone = 76.0 + 40.0 * float(unit(district.key, 71)[0])
    marked = road & (border_m >= arterial) & (to_street < 0.35) & (dash % 9.0 < 4.0)
    marked |= (border_m < 0.35) | (np.abs(border_m - arterial * 0.5) < 0.25) & (dash % 9.0 < 4.0)
    return [
        (paved & ~road, Material.PAVED, (168.0, 164.0, 156.0)),
        (road, Material.ROAD, (tone, tone, tone + 3.0)),
        (marked, Material.ROAD, (214.0, 212.0, 202.0)),
    ]


def _free_streets(
    district: District, to_street: _Floats, border_m: _Floats, dash: _Floats
) -> list[tuple[_Mask, Material, tuple[float, float, float]]]:
    """Streets of any surface, marked in one of several customs or not at all, with verges of grass, gravel or earth."""
    draw = [float(value) for value in unit(district.key, 72, np.arange(12))]
    half, arterial = district.street_m / 2, (0.45 + 0.5 * draw[0]) * district.street_m
    outside = np.minimum(to_street - half, border_m - arterial)  # metres from the edge of the nearest road
    road, kerb = outside < 0, (outside >= 0) & (outside < district.kerb_m)
    verge = (outside >= district.kerb_m) & (outside < district.kerb_m + district.verge_m)
    tone = 52.0 + 125.0 * draw[1]
    surface = tone * (1.0 + 0.10 * (draw[2] - 0.3)), tone, tone * (1.0 - 0.16 * (draw[3] - 0.4))
    middle = np.minimum(to_street, np.where(border_m < arterial, border_m, np.float32(1e3)))
    lines = [
        (
            road & (middle < 0.35) & ((dash % 9.0 < 4.0) | (draw[4] < 0.5)),
            (214.0, 190.0 - 60.0 * (draw[5] < 0.5), 110.0),
        ),
        (road & (outside > -0.9) & (outside < -0.4), (206.0, 206.0, 200.0)),
    ]
    strip = [(104.0, 122.0, 62.0), (168.0, 152.0, 122.0), (146.0, 116.0, 88.0), (176.0, 166.0, 150.0)][int(4 * draw[6])]
    pale = 130.0 + 70.0 * draw[7]
    return [
        (verge, Material.FIELD, (strip[0] * (0.7 + 0.5 * draw[8]), strip[1] * (0.7 + 0.5 * draw[8]), strip[2])),
        (kerb, Material.PAVED, (pale, pale * 0.98, pale * 0.93)),
        (road, Material.ROAD, surface),
        *(
            (mask, Material.ROAD, colour)
            for (mask, colour), wanted in zip(lines, draw[9:11], strict=True)
            if wanted < 0.6
        ),
    ]


def _street_distance(district: District, blocks: Blocks) -> tuple[_Floats, _Floats]:
    """Distance to the middle of the nearest street in metres, and the run along it."""
    far = np.float32(1e3)
    best, dash = np.full(len(blocks.i), far), blocks.along_m

    def line(distance: _Floats, run: _Floats, i: NDArray[np.int64], j: NDArray[np.int64], axis: int) -> None:
        nonlocal best, dash
        open_ = (
            blocks.table(district.key + 80 + axis)[
                np.minimum(i, len(blocks.columns) - 1), np.minimum(j, len(blocks.rows) - 1)
            ]
            > 0.14
        )
        distance = np.where(open_, distance, far)
        dash = np.where(distance < best, run, dash)
        best = np.minimum(distance, best)

    line(blocks.along_m, blocks.across_m, blocks.i, blocks.j, 0)
    line(blocks.length_m - blocks.along_m, blocks.across_m, blocks.i + 1, blocks.j, 0)
    line(blocks.across_m, blocks.along_m, blocks.i, blocks.j, 1)
    line(blocks.depth_m - blocks.across_m, blocks.along_m, blocks.i, blocks.j + 1, 1)
    return best.astype(np.float32), dash
