"""What is drawn for one training pair: on a processor or a GPU the same numbers.

Sizes alone are asked for, so that a process which draws needs no pictures.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.data.augment_spec import AugmentSpec
from model.data.turned import draw_turns
from model.inputs.anchors import REACH, anchor_px
from model.inputs.transforms import InputSpec

__all__ = [
    "WHOLE_DEG",
    "Look",
    "PairChange",
    "Place",
    "canvas_top",
    "draw_change",
    "draw_look",
    "draw_place",
    "draw_view",
    "tile_box",
]

WHOLE_DEG = 360.0
"""Of a view that is not limited."""

_SATURATION, _CONTRAST = (-0.8, 0.7), 0.7
"""Greatest change of either, as a share."""
_MIXING, _BALANCE, _GAIN = 0.28, 0.24, 0.5
"""Greatest share of one channel in another, and greatest change of a channel and of all."""
_BEND = 0.8
"""Greatest logarithm of the exponent of the tone curve."""

_Number = Any
"""A number or an array; of a batch of changes a tensor with one dimension more, [B, ...]."""


class Look(NamedTuple):
    """Colours of one picture, as another sensor, hour or season would show them.

    Attributes:
        recoloured: whether the next six are used.
        saturation: factor of what is not grey.
        mixture: [3, 3], shares of the channels in each channel; rows sum to one.
        balance: [3], factors of the channels.
        contrast: factor of what differs from the mean.
        gain: factor of the mean.
        exponent: of the tone curve.
        grey: whether the colours are taken away, after that.
    """

    recoloured: _Number
    saturation: _Number
    mixture: _Number
    balance: _Number
    contrast: _Number
    gain: _Number
    exponent: _Number
    grey: _Number


_PLAIN_LOOK = Look(False, 1.0, np.eye(3, dtype=np.float32), np.ones(3, np.float32), 1.0, 1.0, 1.0, False)


class Place(NamedTuple):
    """Where a pair's camera stands and looks, in the order in which it is done.

    Attributes:
        box: [3], the square of the tile's picture that is cut out: left, top and side in its pixels.
        anchor: [2], the point of the tile, in its pixels east and south of its centre, that becomes its centre.
        top: the first row of the canvas that is kept.
        quarters: counter-clockwise quarter turns of both views.
        tile_quarters: further ones of the tile alone.
        mirrored: whether east and west are swapped.
        heading_deg: error of the panorama's heading.
    """

    box: _Number
    anchor: _Number
    top: _Number
    quarters: _Number
    tile_quarters: _Number
    mirrored: _Number
    heading_deg: _Number


class PairChange(NamedTuple):
    """All that a device does to a pair.

    Attributes:
        place: first.
        ground_look: colours of the panorama.
        tile_look: colours of the tile.
        fov_deg: horizontal angle that is kept of the panorama; 360 keeps everything.
        view_deg: direction of that view's middle.
        turned_deg: [C], headings of the turned copies.
    """

    place: Place
    ground_look: Look
    tile_look: Look
    fov_deg: _Number
    view_deg: _Number
    turned_deg: _Number


def draw_change(
    rows: int, side_px: int, inputs: InputSpec, spec: AugmentSpec, random: np.random.Generator
) -> PairChange:
    """What is done to a pair whose canvas has so many rows, and whose tile with its margin so many pixels a side.

    The numbers are those of `model.data.augment.augment_pair`, which draws in this order while it goes: some of them
    stand here for what no device does, and nothing comes of them.
    """
    place = draw_place(rows, side_px, inputs, spec, random)
    ground_look = draw_look(spec, random)
    random.random()  # neither blurred nor sharpened
    tile_look = draw_look(spec, random)
    random.random()
    fov_deg, view_deg = draw_view(spec, random)
    random.random(2)  # nothing of either picture is hidden
    return PairChange(place, ground_look, tile_look, fov_deg, view_deg, draw_turns(spec.turned, random))


def draw_place(rows: int, side_px: int, inputs: InputSpec, spec: AugmentSpec, random: np.random.Generator) -> Place:
    """Where the camera of such a pair stands and looks."""
    box, anchor = _draw_box(side_px, inputs, spec, random)
    horizon_deg = random.uniform(-1.0, 1.0) * spec.horizon_deg if spec.horizon_deg else 0.0
    quarters = int(random.integers(4)) if spec.turns else 0
    tile_quarters = int(random.integers(4)) if spec.tile_turns else 0
    mirrored = spec.mirror and random.random() < 0.5
    error_deg = 180.0 if spec.unknown_heading else spec.heading_jitter_deg
    heading_deg = random.uniform(-error_deg, error_deg) if error_deg else 0.0
    top = canvas_top(rows, inputs, horizon_deg)
    return Place(box, anchor, top, quarters, tile_quarters, mirrored, heading_deg)


def draw_view(spec: AugmentSpec, random: np.random.Generator) -> tuple[float, float]:
    """The horizontal angle that is kept of a panorama, 360 for all, and the direction of its middle, in degrees."""
    if random.random() < spec.fov_share:
        return random.uniform(*spec.fov_deg), random.uniform(0.0, 360.0)
    return WHOLE_DEG, 0.0


def draw_look(spec: AugmentSpec, random: np.random.Generator) -> Look:
    """Colours of one picture."""
    look = _PLAIN_LOOK
    if spec.recolour and random.random() < spec.recolour:
        saturation = 1.0 + random.uniform(*_SATURATION)
        mixture = np.eye(3, dtype=np.float32) + random.uniform(-_MIXING, _MIXING, (3, 3)).astype(np.float32)
        balance = (1.0 + random.uniform(-_BALANCE, _BALANCE, 3)).astype(np.float32)
        contrast, gain = 1.0 + random.uniform(-_CONTRAST, _CONTRAST), 1.0 + random.uniform(-_GAIN, _GAIN)
        exponent = float(np.exp(random.uniform(-_BEND, _BEND)))
        mixture /= mixture.sum(axis=1, keepdims=True)
        look = Look(True, saturation, mixture, balance, contrast, gain, exponent, False)
    return look._replace(grey=bool(spec.grey) and random.random() < spec.grey)


def canvas_top(rows: int, inputs: InputSpec, horizon_deg: float = 0.0) -> int:
    """The first row of the encoder's canvas within a higher one, its horizon so many degrees below the middle."""
    spare = rows - inputs.ground_height_px
    if spare <= 0 or inputs.ground_vertical_deg is None:
        return 0
    below_deg = inputs.ground_lowered_deg - horizon_deg
    top = spare / 2 + below_deg / inputs.ground_vertical_deg * inputs.ground_height_px
    return min(max(round(top), 0), spare)


def tile_box(
    side_px: int, tile_px: int, move_px: NDArray[np.float64] | tuple[float, float] = (0.0, 0.0), scale: float = 1.0
) -> NDArray[np.float64]:
    """The square (left, top, side) of a picture that shows so many times a tile's ground, or as much as there is.

    Args:
        side_px: of the picture, whose middle is the tile.
        tile_px: of the tile.
        move_px: (east, south), by how much of the cut tile's own pixels its middle moves.
        scale: 1 keeps pixels whole, and the tile within the picture.
    """
    move = np.asarray(move_px, np.float64)
    margin_px = (side_px - tile_px) / 2
    if scale == 1.0:
        east, south = margin_px + move.clip(-abs(margin_px), abs(margin_px))
        return np.array([round(east), round(south), tile_px], np.float64)
    scale = min(scale, side_px / (tile_px + 2.0 * float(np.abs(move).max())))
    left, top = (side_px - tile_px * scale) / 2 + move * scale
    return np.array([left, top, tile_px * scale])


def _draw_box(
    side_px: int, inputs: InputSpec, spec: AugmentSpec, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The box of a tile that is described around the anchor nearest to the camera, in the picture's middle; the anchor.

    Which anchor is drawn evenly from those around which the picture shows enough ground; how far the camera is from it,
    as `shift` says.
    """
    tile_px = inputs.satellite_px
    margin_px = (side_px - tile_px) / 2
    scale = 1.0 if spec.ground == (1.0, 1.0) else math.exp(random.uniform(*np.log(spec.ground)))
    if inputs.anchors == 1 or not margin_px:
        away = random.uniform(-spec.shift, spec.shift, 2) * margin_px if spec.shift else np.zeros(2)
        return tile_box(side_px, tile_px, away, scale), np.zeros(2, np.int64)
    points = _anchors_within(inputs.anchor_points, (side_px / (tile_px * scale) - 1.0) / 2.0)
    anchor = np.array(anchor_px(points[int(random.integers(len(points)))], tile_px))
    away = random.uniform(-spec.shift, spec.shift, 2) * REACH * tile_px / inputs.anchors
    return tile_box(side_px, tile_px, away - anchor, scale), anchor


def _anchors_within(points: list[tuple[float, float]], reach: float) -> list[tuple[float, float]]:
    """The anchors within so many tile sides of the centre along each axis; the nearest ones where there are none."""
    far = [max(abs(east), abs(south)) for east, south in points]
    return [point for point, distance in zip(points, far, strict=True) if distance <= max(reach, min(far)) + 1e-9]
