"""Districts: the large cells of the world, each with its own street grid, building style and colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.synthetic.country import Country, country_of
from model.synthetic.hashing import unit

__all__ = ["DISTRICT_M", "District", "district_map"]

DISTRICT_M = 520.0
"""Mean distance of neighbouring district centres."""

_STYLES = ("suburb", "town", "industry", "rural", "open")
_KERB_M = 2.2


@dataclass(frozen=True)
class District:
    """One cell of the world and what is drawn in it.

    Attributes:
        key: seed of everything inside.
        centre_m: (x, y) of its centre, origin of its street grid.
        direction: (cosine, sine) of the street grid's turn.
        spacing_m: mean distance of streets along the grid's two axes.
        street_m: width of an ordinary street.
        style: suburb, town, industry, rural or open.
        country: what it shares with its world.
        kerb_m: width of the pavement on either side of a street.
        verge_m: width of the strip beyond it, on which nothing is built or sown.
    """

    key: int
    centre_m: tuple[float, float]
    direction: tuple[float, float]
    spacing_m: tuple[float, float]
    street_m: float
    style: str
    country: Country
    kerb_m: float = _KERB_M
    verge_m: float = 0.0


def district_map(
    seed: int, x_m: NDArray[np.float64], y_m: NDArray[np.float64]
) -> tuple[list[District], NDArray[np.int16], NDArray[np.float32]]:
    """The districts of a window given by its axes [W], [H].

    Returns:
        The districts; for each pixel [H, W] the number of its district in that list; and the distance in metres to
        the border with the next one.
    """
    districts = _near(seed, x_m, y_m)
    nearest: NDArray[np.int16] = np.zeros((len(y_m), len(x_m)), np.int16)
    best = np.full(nearest.shape, np.inf, np.float32)
    second = best.copy()
    for number, district in enumerate(districts):
        cx, cy = district.centre_m
        squared = ((x_m - cx)[None, :] ** 2 + (y_m - cy)[:, None] ** 2).astype(np.float32)
        closer = squared < best
        second = np.where(closer, best, np.minimum(second, squared))
        best = np.where(closer, squared, best)
        nearest[closer] = number
    border_m = (np.sqrt(second) - np.sqrt(best)) / 2
    return districts, nearest, np.asarray(border_m, np.float32)


def _near(seed: int, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> list[District]:
    columns = range(int(np.floor(x_m.min() / DISTRICT_M)) - 2, int(np.floor(x_m.max() / DISTRICT_M)) + 3)
    rows = range(int(np.floor(y_m.min() / DISTRICT_M)) - 2, int(np.floor(y_m.max() / DISTRICT_M)) + 3)
    country = country_of(seed)
    return [_district(seed, country, column, row) for row in rows for column in columns]


def _district(seed: int, country: Country, column: int, row: int) -> District:
    draw = [float(unit(seed, column, row, number)[0]) for number in range(9)]
    cosine, sine = _direction(draw[2])
    district = District(
        key=int(draw[8] * 2**24) ^ (seed * 7919),
        centre_m=((column + 0.15 + 0.7 * draw[0]) * DISTRICT_M, (row + 0.15 + 0.7 * draw[1]) * DISTRICT_M),
        direction=(cosine, sine),
        spacing_m=((75.0 + 60.0 * draw[3]) * country.streets, (55.0 + 45.0 * draw[4]) * country.streets),
        street_m=6.0 + 4.0 * draw[5],
        style=next(name for name, end in zip(_STYLES, country.styles, strict=True) if draw[6] < end),
        country=country,
    )
    return _freed(district, [float(unit(seed, column, row, number)[0]) for number in range(9, 14)])


def _freed(district: District, draw: list[float]) -> District:
    """The district with streets as its country's freedom allows; in open ones they are far apart."""
    if not district.country.freedom:
        return district
    is_open = district.style == "open"
    spacing = (150.0 + 260.0 * draw[0], 120.0 + 220.0 * draw[1]) if is_open else district.spacing_m
    return replace(
        district,
        spacing_m=spacing,
        street_m=5.0 + 11.0 * draw[2] ** 1.5,
        kerb_m=0.0 if is_open or draw[3] < 0.4 else 3.0 * draw[3],
        verge_m=9.0 * draw[4] if is_open else 3.0 * draw[4],
    )


def _direction(turn: float) -> tuple[float, float]:
    """A unit vector from a number in [0, 1), by exactly rounded arithmetic only (no sine that differs by machine)."""
    slope = 2.0 * turn - 1.0  # half-angle tangent: turns of -90 to 90 degrees
    norm = 1.0 + slope * slope
    return (1.0 - slope * slope) / norm, 2.0 * slope / norm
