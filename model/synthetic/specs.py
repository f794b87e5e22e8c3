"""What a rendered tile region is."""

from __future__ import annotations

from typing import Annotated

import mercantile
from annotated_types import Ge, Le

from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.geo import LatLon, great_circle_m, parse_lat_lon
from model.common.specs import Wanted, spec
from model.synthetic.plane import ORIGIN

__all__ = ["ZOOM", "Region"]

ZOOM = 18
"""Of the tiles."""

_REACH_M = 20_000.0


@spec()
class Region:
    """A square of Web Mercator tiles of zoom 18, about 100 m each.

    Attributes:
        seed: of the world, not negative.
        centre: a point in its middle tile.
        side: tiles along each side.
        panoramas: how many to take, each in the middle half of a tile, where a person can stand.
        calibration: how many more to set aside in a manifest of their own.
    """

    seed: Annotated[int, Ge(0), Option("which world; training uses 1 to 16", "N")] = 400
    centre: Annotated[
        LatLon, Option("middle of the region (default: the world's origin)", "LAT,LON", parse=parse_lat_lon)
    ] = ORIGIN
    side: Annotated[
        int, Ge(1), Le(512), Wanted("1 to 512 tiles"), Option("tiles along each side of the square", "N")
    ] = 32
    panoramas: Annotated[int, Ge(0), Option("panoramas to take", "N")] = 24
    calibration: Annotated[
        int, Ge(0), Option("further panoramas, listed in calibration.csv, to calibrate with", "N")
    ] = 0

    def check_together(self) -> None:
        """Nothing synthetic may cover a real place."""
        if great_circle_m(self.centre, ORIGIN) > _REACH_M:
            raise BadConfig(
                f"centre {self.centre.lat}, {self.centre.lon} lies far from the world's place at {ORIGIN.lat}, "
                f"{ORIGIN.lon}; stay within {_REACH_M / 1000:.0f} km, so that nothing synthetic covers a real place"
            )

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return self.side * self.side

    @property
    def wanted(self) -> int:
        """Number of panoramas asked for, those for calibration included."""
        return self.panoramas + self.calibration

    def corner(self) -> tuple[int, int]:
        """(x, y) of the north-western tile."""
        middle = mercantile.tile(self.centre.lon, self.centre.lat, ZOOM)
        return middle.x - self.side // 2, middle.y - self.side // 2
