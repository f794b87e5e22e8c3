"""Augmentation of a pair: changes that keep it a pair, and changes that each sensor could make alone.

A counter-clockwise quarter turn of the tile goes with a roll of the panorama by -W/4; a mirrored tile goes with a
mirrored panorama, whose centre still looks north. Everything is drawn from the generator that is passed in.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from model.common.errors import BadConfig
from model.common.specs import Wanted, spec
from model.inputs.anchors import NEUTRAL, REACH, anchor_px, recentre
from model.inputs.transforms import InputSpec, limit_view, roll_to_north

__all__ = [
    "AugmentSpec",
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
_Share = Annotated[float, Ge(0), Le(1)]

_EITHER = (("blur", "sharpen"), ("erase", "grid", "holes"))
"""Probabilities of which at most one comes true for a picture."""
_RAMPED = ("shift", "fov_share", "heading_jitter_deg", "horizon_deg")
_BLUR_PX = (0.3, 1.2)
"""Standard deviation of the Gaussian blur at the encoder's size."""
_GRID_GROUND, _GRID_TILE = 0.5, 0.4
"""Share of a grid cell's side that is hidden, in each view (as in Sample4Geo)."""
_ERASED = (0.02, 0.15)
"""Share of a picture's area that an erased rectangle takes."""
_ASPECT = (0.5, 2.0)
"""Width of an erased rectangle over its height, both as shares of the picture's sides."""


@spec(prefix="data.augment.")
class AugmentSpec:
    """What is changed in a training pair.

    Attributes:
        turns: turn both views by the same number of quarter turns.
        tile_turns: turn the tile alone, where the street-level picture has no columns that turn with it.
        mirror: swap east and west in both views, every other time.
        colour: strength of the colour jitter, 0 to 1.
        jpeg: probability that a picture is compressed, at a quality of 90 to 100.
        shift_colours: probability that brightness, contrast, saturation and hue change by up to 15 %.
        recolour: probability that its colours change as much as another sensor, hour or season could make them.
        grey: probability that it loses its colours.
        blur: probability that a picture is blurred a little.
        sharpen: probability that it is sharpened instead.
        erase: probability that a rectangle of a picture, 2 to 15 % of it, turns neutral.
        grid: probability that a grid of squares turns neutral instead.
        holes: probability that 10 to 25 small rectangles turn neutral instead.
        shift: share of a tile's margin, 0 to 1, within which its crop moves along each axis; without a margin it stays.
            Where a tile has several anchors, share of an anchor's cell.
        fov_share: probability that a panorama keeps a limited field of view only, the rest of its canvas neutral.
        fov_deg: least and greatest limited field of view; drawn between them, around any heading.
        heading_jitter_deg: greatest error of the panorama's heading, to either side.
        unknown_heading: roll the panorama by any angle, for networks that are not told the heading.
        turned: copies of each panorama that are turned to another heading and join the batch as negatives of all its
            tiles, so that a search over headings finds the right one first.
        horizon_deg: greatest error of the horizon's height in the panorama, up or down: public panoramas are cropped,
            and few say where.
        ground: least and greatest side of the ground that a tile shows, in its own sides, drawn evenly by their
            logarithms as far as its margin reaches; the camera keeps its place in the tile.
        ramp_epochs: epochs over which `shift`, `fov_share`, `heading_jitter_deg` and `horizon_deg` grow from nothing to
            what they are: an untrained network finds the first correspondences much sooner in pairs without them.
    """

    turns: bool = True
    tile_turns: bool = False
    mirror: bool = True
    colour: _Share = 1.0
    jpeg: _Share = 0.0
    shift_colours: _Share = 0.0
    recolour: _Share = 0.0
    grey: _Share = 0.0
    blur: _Share = 0.0
    sharpen: _Share = 0.0
    erase: _Share = 0.0
    grid: _Share = 0.0
    holes: _Share = 0.0
    shift: _Share = 0.0
    fov_share: _Share = 0.0
    fov_deg: Annotated[tuple[float, float], Wanted("two rising angles in (0, 360], as [70, 360]")] = (70.0, 360.0)
    heading_jitter_deg: Annotated[
        float, Ge(0), Le(180), Wanted("degrees in [0, 180], and unknown_heading for any heading")
    ] = 0.0
    unknown_heading: bool = False
    turned: Annotated[int, Ge(0), Le(16)] = 0
    horizon_deg: Annotated[float, Ge(0), Le(30), Wanted("degrees in [0, 30]")] = 0.0
    ground: Annotated[tuple[float, float], Wanted("two rising shares in (0, 4], as [0.7, 1.5]")] = (1.0, 1.0)
    ramp_epochs: Annotated[int, Ge(0)] = 0

    def check_together(self) -> None:
        """Of some changes at most one is made, and the two angles rise."""
        for group in _EITHER:
            if sum(getattr(self, name) for name in group) > 1:
                shares = ", ".join(f"data.augment.{name} {getattr(self, name)}" for name in group)
                raise BadConfig(f"{shares}: at most one of them is done to a picture; give shares of 1 in all")
        if not 0 < self.fov_deg[0] <= self.fov_deg[1] <= 360:
            raise BadConfig(f"data.augment.fov_deg is {self.fov_deg}; give two rising angles in (0, 360], as [70, 360]")
        if self.turned and self.unknown_heading:
            raise BadConfig(
                f"data.augment.turned is {self.turned} and unknown_heading is true: a network that is not told the "
                "heading cannot tell turned copies apart; set one of them to 0 or false"
            )
        if not 0 < self.ground[0] <= self.ground[1] <= 4:
            raise BadConfig(f"data.augment.ground is {self.ground}; give two rising shares in (0, 4], as [0.7, 1.5]")

    def in_epoch(self, epoch: int) -> AugmentSpec:
        """What is changed in this epoch, counted from 0."""
        if epoch >= self.ramp_epochs:
            return self
        grown = {name: getattr(self, name) * epoch / self.ramp_epochs for name in _RAMPED}
        return replace(self, **grown)


def augment_pair(
    panorama: _Pixels, tile: _Pixels, inputs: InputSpec, spec: AugmentSpec, random: np.random.Generator
) -> tuple[_Pixels, _Pixels]:
    """A canvas [H, W, 3] and a tile with its margin [S, S, 3], changed; the tile comes back at the encoder's size."""
    tile = _place_camera(tile, inputs, spec, random)
    panorama = crop_canvas(panorama, inputs, random.uniform(-1.0, 1.0) * spec.horizon_deg if spec.horizon_deg else 0.0)
    if spec.turns:
        panorama, tile = turn_pair(panorama, tile, int(random.integers(4)))
    if spec.tile_turns:
        tile = np.rot90(tile, int(random.integers(4)))
    if spec.mirror and random.random() < 0.5:
        panorama, tile = mirror_pair(panorama, tile)
    if error_deg := 180.0 if spec.unknown_heading else spec.heading_jitter_deg:
        panorama = roll_to_north(panorama, random.uniform(-error_deg, error_deg))
    panorama, tile = (_change_look(picture, spec, random) for picture in (panorama, tile))
    if random.random() < spec.fov_share:  # after the colours, so that what no photo covers is neutral to the bit
        panorama = limit_view(panorama, random.uniform(*spec.fov_deg), random.uniform(0.0, 360.0))
    return _hide(panorama, spec, random, _GRID_GROUND), _hide(tile, spec, random, _GRID_TILE)


def crop_tile(tile: _Pixels, tile_px: int, east: float = 0.0, south: float = 0.0) -> _Pixels:
    """The tile [tile_px, tile_px, 3] within a picture that shows a margin, moved by shares of it in [-1, 1]."""
    margin_px = (len(tile) - tile_px) / 2
    top, left = round(margin_px * (1.0 + south)), round(margin_px * (1.0 + east))
    return tile[top : top + tile_px, left : left + tile_px]


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


def crop_canvas(canvas: _Pixels, inputs: InputSpec, horizon_deg: float = 0.0) -> _Pixels:
    """The encoder's canvas [H, W, 3] within a higher one, its horizon so many degrees below the middle."""
    spare = len(canvas) - inputs.ground_height_px
    if spare <= 0 or inputs.ground_vertical_deg is None:
        return canvas
    below_deg = inputs.ground_lowered_deg - horizon_deg
    top = spare / 2 + below_deg / inputs.ground_vertical_deg * inputs.ground_height_px
    first = min(max(round(top), 0), spare)
    return canvas[first : first + inputs.ground_height_px]


def _place_camera(tile: _Pixels, inputs: InputSpec, spec: AugmentSpec, random: np.random.Generator) -> _Pixels:
    """The tile as it is described around the anchor nearest to the camera, which stands in the picture's middle.

    Which anchor is drawn evenly from those around which the picture shows enough ground; how far the camera is from it,
    as `shift` says.
    """
    tile_px = inputs.satellite_px
    margin_px = (len(tile) - tile_px) / 2
    scale = 1.0 if spec.ground == (1.0, 1.0) else math.exp(random.uniform(*np.log(spec.ground)))
    if inputs.anchors == 1 or not margin_px:
        away = random.uniform(-spec.shift, spec.shift, 2) * margin_px if spec.shift else np.zeros(2)
        return _cut_tile(tile, tile_px, away, scale)
    points = _anchors_within(inputs.anchor_points, (len(tile) / (tile_px * scale) - 1.0) / 2.0)
    anchor = anchor_px(points[int(random.integers(len(points)))], tile_px)
    away = random.uniform(-spec.shift, spec.shift, 2) * REACH * tile_px / inputs.anchors
    return recentre(_cut_tile(tile, tile_px, away - np.array(anchor), scale), *anchor)


def _anchors_within(points: list[tuple[float, float]], reach: float) -> list[tuple[float, float]]:
    """The anchors within so many tile sides of the centre along each axis; the nearest ones where there are none."""
    far = [max(abs(east), abs(south)) for east, south in points]
    return [point for point, distance in zip(points, far, strict=True) if distance <= max(reach, min(far)) + 1e-9]


def _cut_tile(tile: _Pixels, tile_px: int, move_px: NDArray[np.float64], scale: float) -> _Pixels:
    """A tile of so many times its ground, or as much as there is, its middle moved (east, south) by its own pixels."""
    margin_px = (len(tile) - tile_px) / 2
    if scale == 1.0:
        east, south = (move_px / margin_px).clip(-1.0, 1.0) if margin_px else (0.0, 0.0)
        return crop_tile(tile, tile_px, east, south)
    scale = min(scale, len(tile) / (tile_px + 2.0 * float(np.abs(move_px).max())))
    left, top = (len(tile) - tile_px * scale) / 2 + move_px * scale
    box = (left, top, left + tile_px * scale, top + tile_px * scale)
    whole = tuple(min(max(edge, 0.0), float(len(tile))) for edge in box)
    return np.asarray(Image.fromarray(tile).resize((tile_px, tile_px), Image.Resampling.BILINEAR, box=whole))


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
    if spec.recolour and random.random() < spec.recolour:
        picture = recolour(picture, random)
    if spec.grey and random.random() < spec.grey:
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
_SATURATION, _CONTRAST = (-0.8, 0.7), 0.7
"""Greatest change of either, as a share."""
_MIXING, _BALANCE, _GAIN = 0.28, 0.24, 0.5
"""Greatest share of one channel in another, and greatest change of a channel and of all."""
_BEND = 0.8
"""Greatest logarithm of the exponent of the tone curve."""
_LUMINANCE = np.array([0.3, 0.59, 0.11], np.float32)
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


def recolour(picture: _Pixels, random: np.random.Generator) -> _Pixels:
    """Saturation, mixture of the channels, white balance, contrast, exposure and tone of some other sensor."""
    level = picture.astype(np.float32) / 255.0
    grey = (level @ _LUMINANCE)[..., None]
    level = grey + (level - grey) * np.float32(1.0 + random.uniform(*_SATURATION))
    mixture = np.eye(3, dtype=np.float32) + random.uniform(-_MIXING, _MIXING, (3, 3)).astype(np.float32)
    level = level @ (mixture / mixture.sum(axis=1, keepdims=True)).T
    level *= (1.0 + random.uniform(-_BALANCE, _BALANCE, 3)).astype(np.float32)
    mean = level.mean()
    contrast, gain = 1.0 + random.uniform(-_CONTRAST, _CONTRAST), 1.0 + random.uniform(-_GAIN, _GAIN)
    level = (level - mean) * np.float32(contrast) + mean * np.float32(gain)
    curved = level.clip(0.0, 1.0) ** np.float32(np.exp(random.uniform(-_BEND, _BEND)))
    pixels: _Pixels = (curved * 255.0 + 0.5).astype(np.uint8)
    return pixels


def without_colour(picture: _Pixels) -> _Pixels:
    """The picture in greys."""
    grey = (picture @ _LUMINANCE + 0.5).astype(np.uint8)
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
