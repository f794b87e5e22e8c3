"""Augmentation of a pair: changes that keep it a pair, and changes that each sensor could make alone.

A counter-clockwise quarter turn of the tile goes with a roll of the panorama by -W/4; a mirrored tile goes with a
mirrored panorama, whose centre still looks north. Everything is drawn from the generator that is passed in.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from model.common.errors import BadConfig
from model.data.augment_spec import AugmentSpec
from model.data.changes import WHOLE_DEG, Look, canvas_top, draw_look, draw_place, draw_view, tile_box
from model.data.turned import draw_turns, with_turned
from model.inputs.anchors import NEUTRAL, recentre
from model.inputs.transforms import InputSpec, limit_view, roll_to_north

__all__ = [
    "LUMINANCE",
    "augment_pair",
    "compress",
    "crop_canvas",
    "crop_tile",
    "drop_grid",
    "drop_holes",
    "jitter_colour",
    "mirror_pair",
    "recolour",
    "sharpen",
    "shift_colours",
    "turn_pair",
    "wide_inputs",
    "without_colour",
]

_Pixels = NDArray[np.uint8]

_BLUR_PX = (0.3, 1.2)
"""Standard deviation of the Gaussian blur at the encoder's size."""
_GRID_GROUND, _GRID_TILE = 0.5, 0.4
"""Share of a grid cell's side that is hidden, in each view (as in Sample4Geo)."""
_ERASED = (0.02, 0.15)
"""Share of a picture's area that an erased rectangle takes."""
_ASPECT = (0.5, 2.0)
"""Width of an erased rectangle over its height, both as shares of the picture's sides."""


def augment_pair(
    panorama: _Pixels, tile: _Pixels, inputs: InputSpec, spec: AugmentSpec, random: np.random.Generator
) -> tuple[_Pixels, _Pixels]:
    """A canvas [H, W, 3] and a tile with its margin [S, S, 3], changed.

    Returns:
        The panorama and its turned copies at the encoder's size, uint8 [1 + turned, H, W, 3], and the tile [S, S, 3].
    """
    place = draw_place(len(panorama), len(tile), inputs, spec, random)
    tile = recentre(_cut_tile(tile, inputs.satellite_px, place.box), *place.anchor.tolist())
    panorama = panorama[place.top : place.top + inputs.ground_height_px]
    panorama, tile = turn_pair(panorama, tile, place.quarters)
    tile = np.rot90(tile, place.tile_quarters)
    if place.mirrored:
        panorama, tile = mirror_pair(panorama, tile)
    panorama = roll_to_north(panorama, place.heading_deg)
    panorama, tile = (_change_look(picture, spec, random) for picture in (panorama, tile))
    fov_deg, view_deg = draw_view(spec, random)
    if fov_deg < WHOLE_DEG:  # after the colours, so that what no photo covers is neutral to the bit
        panorama = limit_view(panorama, fov_deg, view_deg)
    panorama, tile = _hide(panorama, spec, random, _GRID_GROUND), _hide(tile, spec, random, _GRID_TILE)
    return with_turned(panorama, draw_turns(spec.turned, random)), tile


def crop_tile(tile: _Pixels, tile_px: int) -> _Pixels:
    """The tile [tile_px, tile_px, 3] in the middle of a picture that shows a margin."""
    return _cut_tile(tile, tile_px, tile_box(len(tile), tile_px))


def wide_inputs(inputs: InputSpec, spec: AugmentSpec) -> InputSpec:
    """What training pictures are decoded for: canvases with the rows that a wrong horizon brings into view.

    Raises:
        BadConfig: the canvas has no vertical angle to be wrong about.
    """
    if not spec.horizon_deg:
        return inputs
    if inputs.ground_vertical_deg is None:
        raise BadConfig("data.augment.horizon_deg needs inputs.ground_vertical_deg; set it, or the other to 0")
    spare_deg = spec.horizon_deg + inputs.ground_lowered_deg
    beyond_px = (180.0 / inputs.ground_vertical_deg - 1.0) / 2 * inputs.ground_height_px  # up to zenith and nadir
    rows = min(math.ceil(spare_deg / inputs.ground_vertical_deg * inputs.ground_height_px), math.floor(beyond_px))
    height_px = inputs.ground_height_px + 2 * rows
    vertical_deg = min(180.0, inputs.ground_vertical_deg * height_px / inputs.ground_height_px)
    return replace(inputs, ground_height_px=height_px, ground_vertical_deg=vertical_deg, ground_lowered_deg=0.0)


def crop_canvas(canvas: _Pixels, inputs: InputSpec) -> _Pixels:
    """The encoder's canvas [H, W, 3] within a higher one whose horizon lies in the middle."""
    top = canvas_top(len(canvas), inputs)
    return canvas[top : top + inputs.ground_height_px]


def _cut_tile(tile: _Pixels, tile_px: int, box: NDArray[np.float64]) -> _Pixels:
    """The square (left, top, side) of a picture, at the encoder's size."""
    left, top, side = box.tolist()
    if side == tile_px:
        return tile[int(top) : int(top) + tile_px, int(left) : int(left) + tile_px]
    edges = (min(max(edge, 0.0), float(len(tile))) for edge in (left, top, left + side, top + side))
    return np.asarray(Image.fromarray(tile).resize((tile_px, tile_px), Image.Resampling.BILINEAR, box=tuple(edges)))


def turn_pair(panorama: _Pixels, tile: _Pixels, quarters: int) -> tuple[_Pixels, _Pixels]:
    """Turn the place counter-clockwise by quarter turns: the tile by pixels, the panorama by columns."""
    width = panorama.shape[1]
    return np.roll(panorama, -quarters * width // 4, axis=1), np.rot90(tile, quarters)


def mirror_pair(panorama: _Pixels, tile: _Pixels) -> tuple[_Pixels, _Pixels]:
    """Swap east and west in both views."""
    return panorama[:, ::-1], tile[:, ::-1]


def jitter_colour(picture: _Pixels, random: np.random.Generator, strength: float = 1.0) -> _Pixels:
    """Random gain, offset and gamma-like bend for each channel, through one lookup table."""
    gain = (1.0 + strength * 0.2 * (random.random() * 2 - 1)) * (1.0 + strength * 0.08 * (random.random(3) * 2 - 1))
    offset = strength * 14.0 * (random.random() * 2 - 1)
    bend = strength * 0.3 * (random.random() * 2 - 1)
    level = np.arange(256, dtype=np.float64) / 255.0
    curve = level + bend * level * (1.0 - level)
    table = (curve[:, None] * gain * 255.0 + offset).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.stack([table[picture[..., c], c] for c in range(3)], axis=-1))


def _change_look(picture: _Pixels, spec: AugmentSpec, random: np.random.Generator) -> _Pixels:
    """Colour and sharpness of one picture."""
    if spec.jpeg and random.random() < spec.jpeg:
        picture = compress(picture, random)
    if spec.shift_colours and random.random() < spec.shift_colours:
        picture = shift_colours(picture, random)
    if spec.colour:
        picture = jitter_colour(picture, random, spec.colour)
    look = draw_look(spec, random)
    if look.recoloured:
        picture = recolour(picture, look)
    if look.grey:
        picture = without_colour(picture)
    drawn = random.random()
    if drawn < spec.blur:
        blurred = Image.fromarray(np.ascontiguousarray(picture)).filter(
            ImageFilter.GaussianBlur(random.uniform(*_BLUR_PX))
        )
        picture = np.asarray(blurred)
    elif drawn < spec.blur + spec.sharpen:
        picture = sharpen(picture, random)
    return picture


def _hide(picture: _Pixels, spec: AugmentSpec, random: np.random.Generator, grid_share: float) -> _Pixels:
    """Turn one rectangle, a grid of squares or many small holes of a picture neutral, or nothing."""
    drawn = random.random()
    if drawn < spec.erase:
        return _erase(picture, random)
    if drawn < spec.erase + spec.grid:
        return drop_grid(picture, random, grid_share)
    return drop_holes(picture, random) if drawn < spec.erase + spec.grid + spec.holes else picture


def _erase(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """Turn a rectangle anywhere inside the picture neutral."""
    area, aspect = random.uniform(*_ERASED), np.exp(random.uniform(*np.log(_ASPECT)))
    height, width = (
        round(side * share)
        for side, share in zip(picture.shape[:2], (np.sqrt(area / aspect), np.sqrt(area * aspect)), strict=True)
    )
    top = int(random.integers(picture.shape[0] - height + 1))
    left = int(random.integers(picture.shape[1] - width + 1))
    picture = picture.copy()
    picture[top : top + height, left : left + width] = NEUTRAL
    return picture


_QUALITY = (90, 100)
"""Of the JPEG, both ends included."""
_COLOURS = 0.15
"""Greatest change of brightness, contrast and saturation as a share, and of the hue in turns."""
LUMINANCE = np.array([0.3, 0.59, 0.11], np.float32)
_SHARPNESS = (1.5, 3.0)
"""Pillow's factor, where 1 is the picture itself."""
_CELLS = 10
"""Cells of a grid along the shorter side."""
_HOLES = (10, 25)
_HOLE_SIDES = (0.1, 0.2)
"""Sides of a hole as a share of the picture's height."""


def compress(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """The picture after JPEG compression of quality 90 to 100."""
    file = io.BytesIO()
    _image(picture).save(file, "JPEG", quality=int(random.integers(_QUALITY[0], _QUALITY[1] + 1)))
    return np.asarray(Image.open(file))


def shift_colours(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """Brightness, contrast, saturation and hue changed by up to 15 %, in any order."""
    image = _image(picture)
    changes: list[Callable[[Image.Image, float], Image.Image]] = [
        lambda one, by: ImageEnhance.Brightness(one).enhance(1.0 + by),
        lambda one, by: ImageEnhance.Contrast(one).enhance(1.0 + by),
        lambda one, by: ImageEnhance.Color(one).enhance(1.0 + by),
        _turn_hue,
    ]
    for number in random.permutation(len(changes)):
        image = changes[number](image, random.uniform(-_COLOURS, _COLOURS))
    return np.asarray(image)


def recolour(picture: _Pixels, look: Look) -> _Pixels:
    """Saturation, mixture of the channels, white balance, contrast, exposure and tone of some other sensor."""
    level = picture.astype(np.float32) / 255.0
    grey = (level @ LUMINANCE)[..., None]
    level = grey + (level - grey) * np.float32(look.saturation)
    level = level @ look.mixture.T
    level *= look.balance
    mean = level.mean()
    level = (level - mean) * np.float32(look.contrast) + mean * np.float32(look.gain)
    pixels: _Pixels = (level.clip(0.0, 1.0) ** np.float32(look.exponent) * 255.0 + 0.5).astype(np.uint8)
    return pixels


def without_colour(picture: _Pixels) -> _Pixels:
    """The picture in greys."""
    grey = (picture @ LUMINANCE + 0.5).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def sharpen(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """Edges drawn out, by 1.5 to 3 times."""
    return np.asarray(ImageEnhance.Sharpness(_image(picture)).enhance(random.uniform(*_SHARPNESS)))


def drop_grid(picture: _Pixels, random: np.random.Generator, share: float) -> _Pixels:
    """In each cell of a grid, ten along the shorter side, a square of `share` of its side turns neutral grey."""
    cell_px = max(2, min(picture.shape[:2]) // _CELLS)
    hole_px = max(1, round(cell_px * share))
    rows, columns = (
        (np.arange(side) + int(random.integers(cell_px))) % cell_px < hole_px for side in picture.shape[:2]
    )
    return np.where((rows[:, None] & columns)[..., None], np.uint8(NEUTRAL), picture)


def drop_holes(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """10 to 25 rectangles whose sides are a tenth to a fifth of the picture's height turn neutral; they may overlap."""
    picture = picture.copy()
    height, width = picture.shape[:2]
    for _ in range(int(random.integers(_HOLES[0], _HOLES[1] + 1))):
        tall, wide = (max(1, round(random.uniform(*_HOLE_SIDES) * height)) for _ in range(2))
        top, left = int(random.integers(height - tall + 1)), int(random.integers(max(1, width - wide + 1)))
        picture[top : top + tall, left : left + wide] = NEUTRAL
    return picture


def _turn_hue(image: Image.Image, turns: float) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    hue = hue.point([(level + round(turns * 256)) % 256 for level in range(256)])
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")


def _image(picture: _Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture))
