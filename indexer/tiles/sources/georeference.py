"""Where the pixels of a raster lie on the Earth: by an affine transform, ground control points, or RPCs.

Pixels are (column, row) from the outer corner of the first pixel; places are longitude and latitude in degrees, WGS 84.
GDAL's own transformers do the mathematics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio
from indexer.tiles.grid import mercator_m
from model.common.geo import Bounds

__all__ = ["Georeference", "Window", "georeference_of"]

_WGS84 = "EPSG:4326"
_MERCATOR_LAT = 85.05112877980659
"""Where the square Web Mercator map ends."""
_NODES = 65
"""Points a side at which a raster is placed; between them its edges bend by less than a pixel of a usual image."""
_EARTH_RADII_M = (6.35e6, 6.40e6)
"""Every ellipsoid in use for the Earth lies between; the Moon, Mars and Venus do not."""
_FARTHEST_EASTING_M = 2_500_000.0
"""From the middle of a UTM zone, 22 degrees at the equator; a zone has 6."""
_LEAST_PIXEL_M = 1e-3
_ROUNDING_DEG = 1e-9
_CYLINDRICAL = frozenset({"longlat", "merc", "webmerc", "eqc", "cea", "mill"})
"""Projections (PROJ's names) in which x is longitude times a constant: a raster may reach beyond 180 degrees."""

_Floats = NDArray[np.float64]
_HALF_TURN_DEG = 180.0


@dataclass(frozen=True)
class Window:
    """Part of a raster: first column and row, width and height, in whole pixels."""

    column: int
    row: int
    width: int
    height: int


@dataclass(frozen=True)
class Georeference:
    """How pixels become places. Exactly one of `transform`, `gcps` and `rpcs` is there.

    Attributes:
        crs: reference system of the transform's or the control points' coordinates.
        transform: affine, from (column, row) to (x, y).
        gcps: ground control points.
        rpcs: rational polynomial coefficients, used at their own mean height.
        period: x after which the map repeats, or None where it does not.
        web_mercator: whether the reference system is that of the tile grid.
    """

    crs: Any
    transform: Any = None
    gcps: tuple[Any, ...] = ()
    rpcs: Any = None
    period: float | None = None
    web_mercator: bool = False

    def place(self, columns: ArrayLike, rows: ArrayLike) -> tuple[_Floats, _Floats]:
        """(lon, lat) of pixels, NaN where the projection has no place; longitudes in no particular turn."""
        columns, rows = np.asarray(columns, np.float64), np.asarray(rows, np.float64)
        x, y = self._xy(columns, rows)
        return _reproject(x, y, self.crs, _WGS84)

    def pixels(self, lon: _Floats, lat: _Floats, turn: int = 0) -> tuple[_Floats, _Floats]:
        """(column, row) of places, NaN where there is none; `turn` counts whole turns of the Earth eastwards."""
        x, y = _reproject(lon, lat, _WGS84, self.crs)
        if self.transform is not None:
            column, row = ~self.transform * (x + turn * (self.period or 0.0), y)
            return np.asarray(column), np.asarray(row)
        with self._transformer() as transformer:
            row, column = transformer.rowcol(x, y, zs=self._heights(x), op=lambda value: value)
        return np.asarray(column, np.float64), np.asarray(row, np.float64)

    @property
    def turns(self) -> tuple[int, ...]:
        """Whole turns of the Earth in which the raster may lie."""
        return (0,) if self.period is None else (0, 1, -1)

    def warp_options(self, window: Window, shape: tuple[int, int], turn: int = 0) -> dict[str, Any]:
        """What `rasterio.warp.reproject` must know of a part read into `shape` (rows, columns)."""
        down, across = window.height / shape[0], window.width / shape[1]
        if self.transform is not None:
            affine = load_rasterio().Affine
            moved = affine.translation(-turn * (self.period or 0.0), 0.0) * self.transform
            part = moved * affine.translation(window.column, window.row) * affine.scale(across, down)
            return {"src_crs": self.crs, "src_transform": part}
        if self.rpcs is not None:
            rpcs = self._rpcs_of(window, down, across)
            return {"src_crs": self.crs, "rpcs": rpcs, "RPC_HEIGHT": self.rpcs.height_off}
        return {"src_crs": self.crs, "gcps": [_moved_point(point, window, down, across) for point in self.gcps]}

    def extent(self, width: int, height: int, name: str) -> tuple[Bounds, float]:
        """(box in degrees, cut to the Web Mercator map; side of a pixel in projected metres of EPSG:3857).

        Raises:
            BadSource: it lies outside the map, or the pixels are implausibly small.
        """
        columns, rows = np.meshgrid(np.linspace(0, width, _NODES), np.linspace(0, height, _NODES))
        lon, lat = (part.reshape(columns.shape) for part in self.place(columns.ravel(), rows.ravel()))
        lon = self._unrolled(lon, columns, rows)
        resolution_m = _pixel_m(lon, lat, width, height)
        bounds = self._box(lon, lat, width, height, name)
        if not resolution_m >= _LEAST_PIXEL_M:  # also true for NaN
            raise BadSource(
                f"{name} has pixels of {resolution_m:.2g} m: its reference system and its transform contradict each "
                "other (degrees in a system of metres?); georeference it anew"
            )
        return bounds, resolution_m

    def _xy(self, columns: _Floats, rows: _Floats) -> tuple[_Floats, _Floats]:
        if self.transform is not None:
            x, y = self.transform * (columns, rows)
            return np.asarray(x), np.asarray(y)
        with self._transformer() as transformer:
            x, y = transformer.xy(rows, columns, zs=self._heights(rows), offset="ul")
        return np.asarray(x, np.float64), np.asarray(y, np.float64)

    def _transformer(self) -> Any:
        transform = load_rasterio().transform
        if self.rpcs is not None:
            return transform.RPCTransformer(self.rpcs, rpc_height=self.rpcs.height_off)
        return transform.GCPTransformer(list(self.gcps))

    def _heights(self, like: _Floats) -> _Floats | None:
        return None if self.rpcs is None else np.zeros(len(like))

    def _rpcs_of(self, window: Window, down: float, across: float) -> Any:
        values = self.rpcs.to_dict()
        values["line_off"] = (values["line_off"] - window.row) / down
        values["samp_off"] = (values["samp_off"] - window.column) / across
        values["line_scale"], values["samp_scale"] = values["line_scale"] / down, values["samp_scale"] / across
        return type(self.rpcs)(**values)

    def _unrolled(self, lon: _Floats, columns: _Floats, rows: _Floats) -> _Floats:
        """Longitudes without a jump at 180 degrees, within half a turn of where each is to be expected."""
        known = lon[np.isfinite(lon)]
        if not len(known):
            return lon
        centre = (_NODES // 2, _NODES // 2)
        expected: Any = lon[centre] if np.isfinite(lon[centre]) else known[0]
        if self.period is not None and self.transform is not None:
            x = np.asarray((self.transform * (columns, rows))[0])
            expected = expected + (x - x[centre]) / self.period * 360.0
        unrolled: _Floats = lon + 360.0 * np.round((expected - lon) / 360.0)
        return unrolled

    def _box(self, lon: _Floats, lat: _Floats, width: int, height: int, name: str) -> Bounds:
        if not np.isfinite(lon).any() or not np.isfinite(lat).any():
            raise BadSource(f"{name} has no place on Earth: its reference system does not reach where it lies")
        west, east, south, north = (float(f(a)) for a in (lon, lat) for f in (np.nanmin, np.nanmax))
        for pole in (-90.0, 90.0):
            if self.period is None and self._holds(pole, width, height):
                west, east, south, north = -180.0, 180.0, min(south, pole), max(north, pole)
        south, north = max(south, -_MERCATOR_LAT), min(north, _MERCATOR_LAT)
        if south >= north or west < -540.0 or east > 720.0:
            seen = tuple(round(value, 6) for value in (west, south, east, north))
            raise BadSource(f"{name} lies outside the Web Mercator map: {seen} degrees (west, south, east, north)")
        return _turned(west, south, east, north)

    def _holds(self, pole: float, width: int, height: int) -> bool:
        column, row = self.pixels(np.array([0.0]), np.array([pole * (1 - 1e-9)]))
        return bool(0 <= column[0] <= width and 0 <= row[0] <= height)


def georeference_of(data: Any, name: str, crs: Any = None) -> Georeference:
    """What an open dataset says of its place.

    Args:
        data: the dataset.
        name: of the file, for messages.
        crs: reference system that counts where it says none itself.

    Raises:
        BadSource: it says nothing, or names a reference system that has no place on Earth.
    """
    rasterio = load_rasterio()
    points, points_crs = data.gcps
    crs = data.crs or crs
    if crs is not None and not data.transform.is_identity:
        determinant = data.transform.determinant
        if not math.isfinite(determinant) or determinant == 0.0:
            raise BadSource(f"{name} has a transform that maps all pixels to a line; georeference it anew")
        _require_earth(crs, name)
        _require_near_zone(data, crs, name)
        return Georeference(crs, data.transform, period=_period(crs), web_mercator=_is_web_mercator(crs))
    if len(points) >= 3 and points_crs is not None:
        _require_earth(points_crs, name)
        lons = [point.x for point in points]
        if points_crs.is_geographic and max(lons) - min(lons) > _HALF_TURN_DEG:
            raise BadSource(
                f"{name} has ground control points from longitude {min(lons):g} to {max(lons):g}, as if around the "
                "world; over 180 degrees count on (179.9, 180.1), so write its points anew"
            )
        return Georeference(points_crs, gcps=tuple(points))
    if data.rpcs is not None:
        return Georeference(rasterio.crs.CRS.from_string(_WGS84), rpcs=data.rpcs)
    if len(points):
        raise BadSource(
            f"{name} has {len(points)} ground control points{'' if points_crs else ' without a reference system'}; "
            "at least 3 with one are needed, so georeference it first"
        )
    if not data.transform.is_identity:
        raise BadSource(
            f"{name} has a transform, perhaps of a world file, but no coordinate reference system; georeference it "
            "first: put a .prj that names the system beside it, or write it in with `gdal_edit.py -a_srs`"
        )
    raise BadSource(f"{name} has no coordinate reference system or transform; georeference it first")


def _require_earth(crs: Any, name: str) -> None:
    if not (crs.is_geographic or crs.is_projected):
        kind = str(_projjson(crs).get("type", "unknown")).removesuffix("CRS") or "unknown"
        raise BadSource(
            f"{name} has a local reference system ({kind.lower()}) that has no place on Earth; georeference it first"
        )
    low, high = _EARTH_RADII_M
    for radius_m in _radii_m(_projjson(crs)):
        if not low <= radius_m <= high:
            raise BadSource(
                f"{name} has the reference system of another body (radius {radius_m / 1000:,.0f} km, the Earth has "
                "6,378); give imagery of the Earth"
            )


def _require_near_zone(data: Any, crs: Any, name: str) -> None:
    """Refuse eastings so far from a UTM zone's own that they can only be northings."""
    easting, northing = data.transform * (data.width / 2, data.height / 2)
    if crs.to_dict().get("proj") == "utm" and abs(easting - 500_000.0) > _FARTHEST_EASTING_M:
        raise BadSource(
            f"{name} has its centre at easting {easting:,.0f} m, northing {northing:,.0f} m of a UTM zone, whose "
            "eastings are about 500,000 m; are the two exchanged? Georeference it anew"
        )


def _projjson(crs: Any) -> dict[str, Any]:
    try:
        content: dict[str, Any] = crs.to_dict(projjson=True)
    except Exception:  # not every system has that form; GDAL's errors have no common base
        return {}
    return content


def _radii_m(content: Any) -> list[float]:
    """Every ellipsoid's larger radius in a PROJJSON description."""
    if isinstance(content, list):
        return [radius for part in content for radius in _radii_m(part)]
    if not isinstance(content, dict):
        return []
    own = [content[key] for key in ("semi_major_axis", "radius") if key in content]
    own = [value["value"] if isinstance(value, dict) else value for value in own]
    return [float(value) for value in own] + [radius for part in content.values() for radius in _radii_m(part)]


def _is_web_mercator(crs: Any) -> bool:
    content, sphere = crs.to_dict(), 6_378_137.0
    expected = {"proj": "merc", "a": sphere, "b": sphere, "lon_0": 0, "x_0": 0, "y_0": 0, "units": "m"}
    return bool(all(content.get(key) == value for key, value in expected.items()) and content.get("k", 1) == 1)


def _period(crs: Any) -> float | None:
    """x after which a cylindrical map repeats."""
    if crs.to_dict().get("proj") not in _CYLINDRICAL:
        return None
    # A degree of longitude at two places, because the map's own edge may lie in one of them.
    x, _ = _reproject(np.array([-0.5, 0.5, 89.5, 90.5]), np.zeros(4), _WGS84, crs)
    period = 360.0 * float(min(abs(x[1] - x[0]), abs(x[3] - x[2])))
    return period if math.isfinite(period) and period > 0 else None


def _reproject(x: _Floats, y: _Floats, source: Any, target: Any) -> tuple[_Floats, _Floats]:
    """Points of one reference system in another, NaN where there is none."""
    rasterio = load_rasterio()
    try:
        moved = rasterio.warp.transform(source, target, x, y)
    except Exception:  # one point outside the projection's domain spoils all; GDAL's errors have no common base
        moved = ([], [])
        for one in zip(x.tolist(), y.tolist(), strict=True):
            try:
                ((a,), (b,)) = rasterio.warp.transform(source, target, [one[0]], [one[1]])
            except Exception:
                a = b = math.nan
            moved[0].append(a)
            moved[1].append(b)
    points = np.array(moved, np.float64)
    points[:, ~np.isfinite(points).all(axis=0)] = np.nan
    return points[0], points[1]


def _moved_point(point: Any, window: Window, down: float, across: float) -> Any:
    return type(point)(
        row=(point.row - window.row) / down, col=(point.col - window.column) / across, x=point.x, y=point.y, z=point.z
    )


def _pixel_m(lon: _Floats, lat: _Floats, width: int, height: int) -> float:
    """Side of a square of a pixel's area in projected metres, the median over the raster; NaN off the map."""
    inside = np.where(np.abs(lat) <= _MERCATOR_LAT, lat, np.nan)
    x, y = mercator_m(inside, lon)
    across_x, across_y = np.diff(x, axis=1)[:-1], np.diff(y, axis=1)[:-1]
    down_x, down_y = np.diff(x, axis=0)[:, :-1], np.diff(y, axis=0)[:, :-1]
    areas = np.abs(across_x * down_y - across_y * down_x)
    known = areas[np.isfinite(areas)]
    if not len(known):
        return math.nan
    return float(np.sqrt(np.median(known) * ((_NODES - 1) / width) * ((_NODES - 1) / height)))


def _turned(west: float, south: float, east: float, north: float) -> Bounds:
    """A box whose west may lie in any turn, as one with longitudes in [-180, 180]."""
    if east - west >= 360.0 - _ROUNDING_DEG:
        return Bounds(-180.0, south, 180.0, north)
    start = (west + 180.0) % 360.0 - 180.0
    end = start + (east - west)
    return Bounds(start, south, min(end, 180.0) if end <= 180.0 + _ROUNDING_DEG else end - 360.0, north)
