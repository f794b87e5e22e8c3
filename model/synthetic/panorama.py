"""The panorama renderer: rays marched over the height field, from near to far, one column for each direction.

All directions of a column share one march: with `slope = (height - camera) / distance`, the first step whose running
maximum reaches the slope of a pixel's ray is what that pixel sees. Directions, distances and slopes come from tables
rounded to 2^-20, so that processors whose sine differs in the last bit still see the same world.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from model.common.specs import Wanted, spec
from model.synthetic.air import draw_air, grain
from model.synthetic.appearance import Appearance, Pose
from model.synthetic.ground import PIXEL_M, Ground, Material
from model.synthetic.shadow import shadowed
from model.synthetic.tile import tinted

__all__ = ["VIEW_M", "Camera", "render_panorama"]

VIEW_M = 140.0
"""How far the camera sees; the ground must reach this far around it."""

_USUAL_HEIGHT_M = 2.4
_STEPS = 160
_NEAR_M = 0.8
_SHADOW_SEEN_M = 90.0
_Floats = NDArray[np.float64]
_Lean = Annotated[float, Ge(-10), Le(10), Wanted("at most 10 degrees")]


@spec(prefix="the camera's ")
class Camera:
    """Where and how a panorama is taken.

    Attributes:
        x_m: on the plane, east.
        y_m: on the plane, north.
        height_m: above the ground.
        heading_deg: direction of the centre column, clockwise from north.
        width_px: columns, 360 degrees.
        height_px: rows.
        vertical_deg: vertical angle around the horizon.
        pitch_deg: how far the camera leans, upwards in its heading, at most 10.
        roll_deg: how far it leans to its right, at most 10.
    """

    x_m: float
    y_m: float
    height_m: Annotated[float, Ge(0.5), Le(50), Wanted("0.5 to 50 metres")] = _USUAL_HEIGHT_M
    heading_deg: float = 0.0
    width_px: int = 1024
    height_px: int = 512
    vertical_deg: Annotated[float, Gt(0), Le(180)] = 180.0
    pitch_deg: _Lean = 0.0
    roll_deg: _Lean = 0.0

    @classmethod
    def held(
        cls, x_m: float, y_m: float, pose: Pose, *, size_px: tuple[int, int] = (1024, 512), vertical_deg: float = 180.0
    ) -> Camera:
        """A camera that looks north, held by a person; `size_px` is (width, height)."""
        width, height = size_px
        raised = _USUAL_HEIGHT_M + pose.lift_m
        return cls(x_m, y_m, raised, 0.0, width, height, vertical_deg, pose.pitch_deg, pose.roll_deg)


@dataclass(frozen=True)
class _Hits:
    """What each pixel sees: [H, W] arrays, rows from top to bottom."""

    sky: NDArray[np.bool_]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    distance_m: _Floats
    height_m: _Floats
    passer: NDArray[np.int64]


def render_panorama(ground: Ground, camera: Camera, look: Appearance) -> NDArray[np.uint8]:
    """Draw an equirectangular panorama, uint8 [height_px, width_px, 3]; the ground reaches `VIEW_M` around it."""
    east, north = _directions(camera.width_px, camera.heading_deg)
    slopes = _slopes(camera.height_px, camera.width_px, camera.vertical_deg, camera.pitch_deg, camera.roll_deg)
    hits = _march(ground, camera, look, east, north, slopes)
    scene = _surface(ground, look, hits)
    sky = _sky(slopes, look) if look.air is None else draw_air(look.air, look.sun, east, north, slopes)
    veil = np.float32(1.0) - np.exp(-hits.distance_m / look.haze_m).astype(np.float32)
    haze = np.array([206.0, 212.0, 220.0], np.float32)
    scene += (haze - scene) * veil[..., None]
    return look.develop(np.where(hits.sky[..., None], sky, scene))


def _march(ground: Ground, camera: Camera, look: Appearance, east: _Floats, north: _Floats, slopes: _Floats) -> _Hits:
    distance = _distances()
    columns = _pixel((camera.x_m + east[:, None] * distance) / PIXEL_M) - ground.window.left
    rows = _pixel(-(camera.y_m + north[:, None] * distance) / PIXEL_M) - ground.window.top
    height = ground.height_m[rows, columns].astype(np.float64)
    height[:, distance < 2.0] = 0.0  # nobody photographs from inside a hedge
    passer = _place_passers(height, look, distance)
    seen = np.maximum.accumulate((height - camera.height_m) / distance, axis=1)
    step = _first_reaching(seen, slopes)
    sky = step == _STEPS
    step[sky] = 0
    which = np.arange(len(east))[None, :]
    ray_m = camera.height_m + slopes * distance[step]
    hit_row, hit_column, far = rows[which, step], columns[which, step], distance[step]
    flat = (height[which, step] < 0.1) & (slopes < 0) & ~sky
    exact = np.where(flat, camera.height_m / np.maximum(-slopes, 1e-6), far).clip(0.0, VIEW_M - 1.0)
    hit_column = np.where(flat, _pixel((camera.x_m + east * exact) / PIXEL_M) - ground.window.left, hit_column)
    hit_row = np.where(flat, _pixel(-(camera.y_m + north * exact) / PIXEL_M) - ground.window.top, hit_row)
    return _Hits(sky, hit_row, hit_column, exact, ray_m, np.where(sky, -1, passer[which, step]))


def _surface(ground: Ground, look: Appearance, hits: _Hits) -> NDArray[np.float32]:
    """The lit colours of what is hit: the top of things seen from above, their sides otherwise."""
    where = hits.row, hits.column
    material, height = ground.material[where], ground.height_m[where]
    upright = (height > 0.4) & (hits.height_m < height - 0.35)
    colour = np.where(upright[..., None], ground.side[where], ground.top[where])
    scene = tinted(colour, material, look.season)
    wall = upright & (material == Material.BUILDING)
    scene *= np.where(wall & _window_panes(ground, hits), np.float32(0.55), np.float32(1.0))[..., None]
    scene *= _light(ground, look, hits, upright)[..., None]
    if look.air is not None:
        rough = grain(look.air, hits.row, hits.column, hits.height_m)
        scene *= np.where(upright, rough, np.float32(1.0))[..., None]
    for number, passer in enumerate(look.passers):
        mask = hits.passer == number
        above = hits.height_m[mask] > 0.55 * passer.height_m
        scene[mask] = np.where(above[:, None], passer.upper, passer.lower)
    return scene


def _window_panes(ground: Ground, hits: _Hits) -> NDArray[np.bool_]:
    """Panes repeat every 3 m of height and every 3 m along a wall, whichever way it runs."""
    along = (hits.row + ground.window.top) + (hits.column + ground.window.left)
    pane: NDArray[np.bool_] = (hits.height_m % 3.0 > 1.0) & (hits.height_m % 3.0 < 2.3) & (along % 7 < 3)
    return pane


def _light(ground: Ground, look: Appearance, hits: _Hits, upright: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Direct light by the direction a side faces, from the height differences around the hit; none in shadow."""
    row, column, height = hits.row, hits.column, ground.height_m
    toward_east = height[row, column - 1] - height[row, column + 1]
    toward_north = height[row + 1, column] - height[row - 1, column]
    facing = look.sun[0] * np.sign(toward_east) + look.sun[1] * np.sign(toward_north)
    flat = np.float32(1.0 - 0.1 * look.sun_share)
    light: NDArray[np.float32] = np.where(upright, 0.8 + 0.35 * look.sun_share * facing, flat).astype(np.float32)
    lying = np.nonzero(~upright & ~hits.sky & (hits.distance_m < _SHADOW_SEEN_M))
    shaded = shadowed(height, look.sun, row[lying], column[lying], height[row[lying], column[lying]])
    light[lying] *= np.where(shaded, np.float32(1.0 - 0.6 * look.sun_share), np.float32(1.0))
    return light


def _place_passers(height: _Floats, look: Appearance, distance: _Floats) -> NDArray[np.int64]:
    """Raise the marched heights where a vehicle or person stands; returns its number for each sample, -1 elsewhere."""
    passer = np.full(height.shape, -1, np.int64)
    width = len(height)
    for number, box in enumerate(look.passers):
        columns = np.arange(int(box.turn * width), int((box.turn + box.width_turn) * width) + 1) % width
        depth = np.flatnonzero((distance >= box.distance_m) & (distance < box.distance_m + box.depth_m))
        free = height[np.ix_(columns, depth)].max(axis=1) < 0.5
        part = np.ix_(columns[free], depth)
        height[part] = box.height_m
        passer[part] = number
    return passer


def _first_reaching(seen: _Floats, slopes: _Floats) -> NDArray[np.int64]:
    """For each pixel [H, W] the first step of its column with `seen >= slope`, the number of steps where none.

    One bisection serves all columns: they are laid end to end, each lifted above the one before.
    """
    lift = np.arange(len(seen)) * 1e4
    found = np.searchsorted((seen + lift[:, None]).ravel(), slopes + lift)
    step: NDArray[np.int64] = (found - np.arange(len(seen)) * _STEPS).clip(0, _STEPS)
    return step


def _sky(slopes: _Floats, look: Appearance) -> NDArray[np.float32]:
    zenith = np.array([96.0, 142.0, 205.0], np.float32)
    pale = np.array([206.0, 216.0, 228.0], np.float32)
    share = (1.0 / (1.0 + 1.5 * np.maximum(slopes, 0.0))).astype(np.float32)[..., None]
    clear = pale * share + zenith * (1 - share)
    return np.asarray(clear + (pale - clear) * np.float32(0.8 * (1.0 - look.sun_share)), np.float32)


def _pixel(value: _Floats) -> NDArray[np.int64]:
    return np.floor(value).astype(np.int64)


@lru_cache(maxsize=8)
def _directions(width_px: int, heading_deg: float) -> tuple[_Floats, _Floats]:
    """Unit vectors (east, north) of the columns; the centre of the picture looks along the heading."""
    turn = np.radians(((np.arange(width_px) + 0.5) / width_px - 0.5) * 360.0 + heading_deg)
    return _rounded(np.sin(turn)), _rounded(np.cos(turn))


def _slopes(height_px: int, width_px: int, vertical_deg: float, pitch_deg: float, roll_deg: float) -> _Floats:
    """Tangents of the pixels' elevations [H, W], rows from top to bottom.

    A small lean lifts the columns by a sine wave: exact at the horizon, to first order elsewhere.
    """
    elevation = (0.5 - (np.arange(height_px) + 0.5) / height_px) * vertical_deg
    azimuth = ((np.arange(width_px) + 0.5) / width_px - 0.5) * 2.0 * np.pi
    lean = pitch_deg * np.cos(azimuth) - roll_deg * np.sin(azimuth)
    tilted = (elevation[:, None] + lean).clip(-89.9, 89.9)
    return _rounded(np.tan(np.radians(tilted)))


@lru_cache(maxsize=1)
def _distances() -> _Floats:
    return _rounded(_NEAR_M * (VIEW_M / _NEAR_M) ** (np.arange(_STEPS) / (_STEPS - 1)))


def _rounded(values: _Floats) -> _Floats:
    return np.round(values * 2.0**20) * 2.0**-20
