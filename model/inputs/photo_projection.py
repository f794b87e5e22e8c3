"""A photo on the encoder's canvas, whatever its projection and however its camera leaned.

A level panorama is resized (`lay_panorama`). Anything else is looked up: each point of the canvas is a direction, which
is turned into the camera's frame and falls on a point of the picture.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.inputs.photo_view import ResolvedView
from model.inputs.transforms import NEUTRAL, InputSpec, canvas_middle_deg, lay_panorama, roll_to_north

__all__ = ["LEVEL_DEG", "lay_photo"]

LEVEL_DEG = 0.5
"""A lean up to this is not undone: it moves nothing by a row."""
_FINER = 2
"""Points looked up along each axis of a canvas pixel, to be averaged."""

_Pixels = NDArray[np.uint8]
_Floats = NDArray[np.float64]


def lay_photo(image: Image.Image, spec: InputSpec, view: ResolvedView) -> _Pixels:
    """A photo as uint8 [H, W, 3] on the encoder's canvas, north in its middle, or the photo's own if north is unknown.

    What the photo does not show is neutral. Where the canvas takes a picture's whole height whatever its angle
    (`ground_vertical_deg` is None), its rows span the photo's vertical angle.
    """
    heading_deg = view.heading_deg or 0.0
    if view.projection == "equirectangular" and max(abs(view.pitch_deg), abs(view.roll_deg)) <= LEVEL_DEG:
        return lay_panorama(
            image,
            spec,
            heading_deg=heading_deg,
            fov_deg=view.fov_deg,
            vertical_deg=view.vertical_deg,
            centre_deg=view.centre_deg,
        )
    return roll_to_north(_looked_up(image, spec, view), heading_deg)


def _looked_up(image: Image.Image, spec: InputSpec, view: ResolvedView) -> _Pixels:
    """The canvas whose centre column is the photo's."""
    finer = _FINER if spec.antialias else 1
    columns, rows = spec.ground_width_px * finer, spec.ground_height_px * finer
    if spec.ground_vertical_deg is None:
        height_deg, middle_deg = view.vertical_deg, view.centre_deg
    else:
        height_deg = spec.ground_vertical_deg
        middle_deg = canvas_middle_deg(spec, view.lowest_deg)
    azimuth = np.radians(((np.arange(columns) + 0.5) / columns - 0.5) * 360.0)
    elevation = np.radians(middle_deg + (0.5 - (np.arange(rows) + 0.5) / rows) * height_deg)
    across, down = _points(azimuth[np.newaxis], elevation[:, np.newaxis], view)
    picture = _shrunk(image, view, columns / 360.0, rows / height_deg) if spec.antialias else np.asarray(image)
    fine = _sampled(picture, across, down)
    blocks = fine.reshape(spec.ground_height_px, finer, spec.ground_width_px, finer, 3)
    return np.asarray(np.round(blocks.mean(axis=(1, 3))), np.uint8)


def _points(azimuth: _Floats, elevation: _Floats, view: ResolvedView) -> tuple[_Floats, _Floats]:
    """Where directions fall on the picture, as shares (across, down) of its size; NaN where it does not show them.

    Args:
        azimuth: to the right of the picture's centre column, radians.
        elevation: over the horizon, radians; broadcasts with the azimuth.
        view: the picture's angles and its camera's lean.
    """
    flat = view.projection == "rectilinear"
    offset = math.radians(0.0 if flat else view.offset_deg)
    right = np.cos(elevation) * np.sin(azimuth + offset)
    ahead = np.cos(elevation) * np.cos(azimuth + offset)
    up = np.broadcast_to(np.sin(elevation), right.shape)
    pitch, roll = math.radians(view.pitch_deg + (view.centre_deg if flat else 0.0)), math.radians(view.roll_deg)
    ahead, up = ahead * math.cos(pitch) + up * math.sin(pitch), up * math.cos(pitch) - ahead * math.sin(pitch)
    right, up = right * math.cos(roll) - up * math.sin(roll), up * math.cos(roll) + right * math.sin(roll)
    half_fov, half_vertical = math.radians(view.fov_deg) / 2, math.radians(view.vertical_deg) / 2
    if flat:
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.where(ahead > 0, right / ahead, np.nan) / math.tan(half_fov)
            y = np.where(ahead > 0, up / ahead, np.nan) / math.tan(half_vertical)
    else:
        turned = np.arctan2(right, ahead) - offset
        x = ((turned + math.pi) % (2 * math.pi) - math.pi) / half_fov
        y = (np.arcsin(np.clip(up, -1.0, 1.0)) - math.radians(view.centre_deg)) / half_vertical
    seen = (np.abs(x) <= 1) & (np.abs(y) <= 1)
    return np.where(seen, (1 + x) / 2, np.nan), np.where(seen, (1 - y) / 2, np.nan)


def _shrunk(image: Image.Image, view: ResolvedView, columns_per_deg: float, rows_per_deg: float) -> _Pixels:
    """The picture at no more pixels a degree, in its centre, than are looked up there."""
    width, height = view.fov_deg, view.vertical_deg
    if view.projection == "rectilinear":
        width, height = (math.degrees(2 * math.tan(math.radians(angle) / 2)) for angle in (width, height))
    size = (
        min(image.width, max(1, math.ceil(width * columns_per_deg))),
        min(image.height, max(1, math.ceil(height * rows_per_deg))),
    )
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _sampled(picture: _Pixels, across: _Floats, down: _Floats) -> _Floats:
    """A picture [h, w, 3] interpolated at shares of its size, [H, W, 3]; neutral where they are NaN."""
    height, width = picture.shape[:2]
    seen = ~np.isnan(across)
    x = np.clip(across[seen] * width - 0.5, 0, width - 1)
    y = np.clip(down[seen] * height - 0.5, 0, height - 1)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    x, y = (x - left)[:, np.newaxis], (y - top)[:, np.newaxis]
    upper = picture[top, left] * (1 - x) + picture[top, right] * x
    lower = picture[bottom, left] * (1 - x) + picture[bottom, right] * x
    result = np.full((*across.shape, 3), float(NEUTRAL))
    result[seen] = upper * (1 - y) + lower * y
    return result
