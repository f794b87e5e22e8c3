"""The tile renderer: an orthographic picture of the ground, north up, with relief shading and cast shadows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.synthetic.appearance import Appearance
from model.synthetic.ground import PIXEL_M, Ground, Material, Window
from model.synthetic.shadow import SHADOW_M, sun_steps

__all__ = ["render_tile"]


def render_tile(
    ground: Ground, rectangle_m: tuple[float, float, float, float], size_px: int, look: Appearance
) -> NDArray[np.uint8]:
    """Draw a rectangle of the plane as uint8 [size, size, 3], north up.

    Args:
        ground: covers the rectangle and `SHADOW_M` around it.
        rectangle_m: (left, bottom, right, top) on the plane.
        size_px: side of the picture.
        look: light, season and sensor.
    """
    window = Window.around(*rectangle_m, margin_m=SHADOW_M)
    part = ground.cropped(window)
    lit = light_from_above(part, look)
    left, bottom, right, top = (value / PIXEL_M for value in rectangle_m)
    box = (left - window.left, -top - window.top, right - window.left, -bottom - window.top)
    scaled = Image.fromarray(lit).resize((size_px, size_px), Image.Resampling.BILINEAR, box=box)
    return look.develop(np.asarray(scaled, np.float32))


def light_from_above(ground: Ground, look: Appearance) -> NDArray[np.uint8]:
    """The ground's colours in this season under this sun, uint8 [H, W, 3] at raster resolution."""
    height = ground.height_m
    slope_east = np.zeros_like(height)
    slope_north = np.zeros_like(height)
    slope_east[:, 1:-1] = (height[:, 2:] - height[:, :-2]).clip(-2, 2) * 0.5
    slope_north[1:-1] = (height[:-2] - height[2:]).clip(-2, 2) * 0.5
    facing = look.sun[2] - 0.35 * (look.sun[0] * slope_east + look.sun[1] * slope_north)
    direct = np.where(_in_shadow(height, look), np.float32(0.0), facing.clip(0.0, 1.4))
    light = 1.0 + look.sun_share * (direct / look.sun[2] - 1.0) * 0.75
    return (tinted(ground.top, ground.material, look.season) * light[..., None]).clip(0, 255).astype(np.uint8)


def tinted(colour: NDArray[np.uint8], material: NDArray[np.uint8], season: float) -> NDArray[np.float32]:
    """Colours [..., 3] with the season's tint on whatever grows: -1 fresh green, 1 dry brown."""
    grows = (material >= Material.GARDEN) & (material != Material.WATER) & (material != Material.BUILDING)
    tint = np.array([1.0 + 0.35 * season, 1.0 - 0.12 * season, 1.0 - 0.05 * season], np.float32)
    return colour.astype(np.float32) * np.where(grows[..., None], tint, np.float32(1.0))


def _in_shadow(height: NDArray[np.float32], look: Appearance) -> NDArray[np.bool_]:
    """`shadowed` for a whole raster, by shifting it; it wraps at the edge, which `SHADOW_M` of margin keeps out."""
    shadow = np.zeros(height.shape, np.bool_)
    for rows, columns, rise_m in sun_steps(look.sun):
        shadow |= np.roll(height, (-rows, -columns), (0, 1)) > height + rise_m
    return shadow
