"""From a decoded picture to the encoder's input: the only home of sizes, padding, mean and standard deviation.

A tile is resized. A panorama is laid on a canvas of 360 degrees whose centre column looks north: rolled by its
heading, cropped or padded to the canvas's vertical angle, with neutral grey where the photo saw nothing.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from PIL import Image

from model.common.errors import BadConfig
from model.common.specs import Wanted, spec
from model.inputs.anchors import NEUTRAL, anchor_points

__all__ = [
    "MIN_SIDE_PX",
    "NEUTRAL",
    "InputSpec",
    "canvas_middle_deg",
    "lay_panorama",
    "limit_view",
    "resize_tile",
    "roll_to_north",
]

MIN_SIDE_PX = 32
"""What a backbone that halves its grid five times needs."""

_LEAST_DEG = 0.01
"""Of a larger picture, what is not worth a row."""

_Pixels = NDArray[np.uint8]
_Side = Annotated[int, Ge(MIN_SIDE_PX), Wanted(f"at least {MIN_SIDE_PX} pixels a side")]
_Positive = Annotated[float, Gt(0)]


@spec()
class InputSpec:
    """What the encoder wants to see; stored in the checkpoint bundle.

    Attributes:
        satellite_px: side of the square tile input.
        ground_height_px: height of the panorama canvas.
        ground_width_px: width of the panorama canvas, 360 degrees.
        ground_vertical_deg: vertical angle of the canvas around the horizon; None takes the picture's whole height
            whatever its angle, as public code does.
        ground_lowered_deg: how far below the horizon the canvas's middle lies, for a picture that reaches down as far.
        mean: per channel, of values in [0, 1].
        std: per channel, of values in [0, 1].
        polar: the network sees tiles unrolled around their centres, in the size of the panorama canvas
            (`model.network.polar`).
        antialias: average all pixels of a picture that fall into one of the input's. Without, four are interpolated
            wherever the picture is larger, as OpenCV's bilinear resizing does, which most public code uses.
        anchors: points along each axis around which a tile is described (`model.inputs.anchors`); 1 is its centre.
    """

    satellite_px: _Side = 128
    ground_height_px: _Side = 64
    ground_width_px: _Side = 256
    ground_vertical_deg: Annotated[float | None, Gt(0), Le(180), Wanted("(0, 180] or null")] = 40.0
    mean: Annotated[tuple[float, float, float], Wanted("three numbers, one a channel")] = (0.485, 0.456, 0.406)
    std: Annotated[tuple[_Positive, _Positive, _Positive], Wanted("three numbers above 0, one a channel")] = (
        0.229,
        0.224,
        0.225,
    )
    polar: bool = False
    anchors: Annotated[int, Ge(1), Wanted("at least 1, the tile's centre")] = 1
    antialias: bool = True
    ground_lowered_deg: Annotated[float, Ge(0), Le(45), Wanted("degrees in [0, 45]")] = 0.0

    @property
    def satellite_size_px(self) -> tuple[int, int]:
        """(width, height) of the tile input, as Pillow orders them."""
        return self.satellite_px, self.satellite_px

    @property
    def satellite_canvas_px(self) -> tuple[int, int]:
        """(width, height) of what the network sees of a tile."""
        return self.ground_size_px if self.polar else self.satellite_size_px

    @property
    def anchor_points(self) -> list[tuple[float, float]]:
        """(east, south) of the anchors from a tile's centre, in shares of its side."""
        return anchor_points(self.anchors)

    @property
    def ground_size_px(self) -> tuple[int, int]:
        """(width, height) of the panorama canvas, as Pillow orders them."""
        return self.ground_width_px, self.ground_height_px

    @property
    def ground_decode_px(self) -> tuple[int, int] | None:
        """(width, height) below which a 360 x 180 degree panorama would be upsampled to the canvas.

        None where it has to be decoded whole, since a JPEG that is decoded smaller is antialiased.
        """
        if not self.antialias:
            return None
        if self.ground_vertical_deg is None:
            return self.ground_size_px
        return self.ground_width_px, round(self.ground_height_px * 180.0 / self.ground_vertical_deg)


def canvas_middle_deg(spec: InputSpec, lowest_deg: float) -> float:
    """Elevation of the canvas's middle row for a picture whose lower edge lies at `lowest_deg`: at most 0.

    Where the encoder wants to look down, it does so no further than the picture reaches: rows that show something
    would be given for rows that show nothing. 0 where the canvas takes a picture's whole height.
    """
    if spec.ground_vertical_deg is None:
        return 0.0
    spare_deg = -spec.ground_vertical_deg / 2 - lowest_deg
    return 0.0 - min(spec.ground_lowered_deg, max(0.0, spare_deg))


def resize_tile(image: Image.Image, spec: InputSpec, *, margin: float = 0.0, keep_px: int = 0) -> _Pixels:
    """A north-up tile as uint8 [H, W, 3] of the encoder's size.

    Args:
        image: the tile, and `margin` tile sides more on every side.
        spec: the encoder's input.
        margin: share of the tile's side that the picture shows beyond the tile on every side.
        keep_px: how much of the margin to keep on every side; the result has `satellite_px + 2 * keep_px` a side.
    """
    side_px = spec.satellite_px + 2 * keep_px
    share = min(1.0, side_px / (spec.satellite_px * (1.0 + 2.0 * margin)))
    left, top = image.width * (1.0 - share) / 2, image.height * (1.0 - share) / 2
    box = (left, top, image.width - left, image.height - top)
    return _resized(image, (side_px, side_px), box, spec)


def lay_panorama(
    image: Image.Image,
    spec: InputSpec,
    *,
    heading_deg: float = 0.0,
    fov_deg: float = 360.0,
    vertical_deg: float | None = None,
    centre_deg: float = 0.0,
) -> _Pixels:
    """A panorama or photo as uint8 [H, W, 3] on the encoder's north-centred canvas.

    Args:
        image: equirectangular: columns and rows are equal angles.
        spec: the encoder's input.
        heading_deg: direction of the picture's centre column, clockwise from north, in [-360, 360].
        fov_deg: horizontal angle of the picture, in (0, 360].
        vertical_deg: vertical angle of the picture; None where a pixel is as high as it is wide.
        centre_deg: elevation of the picture's centre over the horizon, in [-90, 90]; it counts only where rows are
            matched by angle.

    Raises:
        BadConfig: an angle is out of range or not a number.
    """
    if not 0 < fov_deg <= 360:
        raise BadConfig(f"fov_deg is {fov_deg}; give the horizontal angle of the photo in (0, 360] degrees")
    if not -360 <= heading_deg <= 360:
        raise BadConfig(f"heading_deg is {heading_deg}; give degrees clockwise from north in [-360, 360]")
    if not -90 <= centre_deg <= 90:
        raise BadConfig(f"centre_deg is {centre_deg}; give the elevation of the photo's centre in [-90, 90] degrees")
    columns = max(1, round(spec.ground_width_px * fov_deg / 360.0))
    if vertical_deg is not None and not vertical_deg > 0:
        raise BadConfig(f"vertical_deg is {vertical_deg}; give the vertical angle of the photo, above 0 degrees")
    picture_deg = fov_deg * image.height / image.width if vertical_deg is None else vertical_deg  # a tiny one may be 0
    strip = _vertical_fit(image, spec, columns, picture_deg, centre_deg)
    canvas = np.full((spec.ground_height_px, spec.ground_width_px, 3), NEUTRAL, np.uint8)
    left = (spec.ground_width_px - columns) // 2
    canvas[:, left : left + columns] = strip
    return roll_to_north(canvas, heading_deg)


def roll_to_north(canvas: _Pixels, heading_deg: float) -> _Pixels:
    """Roll a 360 degree canvas [..., W, 3] whose centre looks `heading_deg` so that its centre looks north.

    Columns run S-W-N-E-S: what lay in the centre moves right by heading / 360 of the width.
    """
    shift = round(heading_deg / 360.0 * canvas.shape[-2])
    return np.roll(canvas, shift, axis=-2)


def limit_view(canvas: _Pixels, fov_deg: float, heading_deg: float) -> _Pixels:
    """Keep what a photo of `fov_deg` looking `heading_deg` sees of a canvas, where it is; the rest turns neutral.

    The view has the nearest whole number of columns, at least one, and is moved by whole columns, too.
    """
    columns = canvas.shape[-2]
    width = max(1, round(columns * fov_deg / 360.0))
    left = (columns - width) // 2 + round(heading_deg / 360.0 * columns)
    seen = np.zeros(columns, np.bool_)
    seen[np.arange(left, left + width) % columns] = True
    return np.where(seen[:, np.newaxis], canvas, np.uint8(NEUTRAL))


def _vertical_fit(image: Image.Image, spec: InputSpec, columns: int, picture_deg: float, centre_deg: float) -> _Pixels:
    """The picture resized to [canvas height, columns, 3], rows matched by elevation."""
    rows, canvas_deg = spec.ground_height_px, spec.ground_vertical_deg
    if canvas_deg is None:
        return _resized(image, (columns, rows), (0.0, 0.0, *image.size), spec)
    canvas_middle = canvas_middle_deg(spec, centre_deg - picture_deg / 2)
    highest = min(centre_deg + picture_deg / 2, canvas_middle + canvas_deg / 2)
    lowest = max(centre_deg - picture_deg / 2, canvas_middle - canvas_deg / 2)
    strip: _Pixels = np.full((rows, columns, 3), NEUTRAL, np.uint8)
    if highest - lowest < min(picture_deg, _LEAST_DEG):
        return strip
    seen_deg, middle_deg = highest - lowest, (highest + lowest) / 2
    covered = min(rows, max(1, round(rows * seen_deg / canvas_deg)))
    above_deg = middle_deg - canvas_middle
    top = min(max(0, math.floor((rows - covered) / 2 - rows * above_deg / canvas_deg)), rows - covered)
    half = image.height / 2 if seen_deg >= picture_deg else image.height * seen_deg / picture_deg / 2
    middle = image.height / 2 + image.height * (centre_deg - middle_deg) / (picture_deg or 1.0)
    box = (0.0, max(0.0, middle - half), float(image.width), min(float(image.height), middle + half))
    strip[top : top + covered] = _resized(image, (columns, covered), box, spec)
    return strip


def _resized(
    image: Image.Image, size_px: tuple[int, int], box: tuple[float, float, float, float], spec: InputSpec
) -> _Pixels:
    """A box (left, top, right, bottom) of a picture at another size (width, height), uint8 [H, W, 3]."""
    if spec.antialias:
        return np.asarray(image.resize(size_px, Image.Resampling.BILINEAR, box=box))
    # In float, since Pillow truncates what it transforms in bytes: half a grey level too dark.
    bands = (band.convert("F") for band in image.split())
    levels = [
        np.asarray(band.transform(size_px, Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)) for band in bands
    ]
    return (np.stack(levels, axis=-1) + 0.5).astype(np.uint8)  # a mean of levels is none below 0 or above 255
