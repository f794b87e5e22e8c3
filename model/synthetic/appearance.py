"""What differs between two pictures of one place: hour, season, air, sensor, camera, and who passes by.

An `Appearance` is drawn for each picture from a number, so the same number always gives the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from model.common.specs import spec

__all__ = ["Air", "Appearance", "Difficulty", "Passer", "Pose", "draw_appearance", "draw_pose"]

_Share = Annotated[float, Ge(0), Le(1)]
_Half = Annotated[float, Ge(0), Le(0.5)]
_POSE = 2
"""Stream of the poses; 0 and 1 are those of looks from above and from the ground."""
_AIR = 3


@spec()
class Difficulty:
    """How much two pictures of one place may differ. The defaults are the standard version of the world.

    Attributes:
        offset: the camera stands within this share of the tile's side from its centre, along each axis, in [0, 0.5].
        light: spread of the sun's place and warmth, exposure, white balance and haze, 0 (noon, clear) to 1.
        colour: spread of the sensors' colour rendition (saturation, mixing of channels, tone curve), 0 to 1.
        season: spread of the vegetation's tint, 0 to 1.
        vehicles: vehicles in the panorama that the tile does not show, at most this many.
        people: the same for people on foot.
        change: share of buildings that only the photo shows (built since), and of those only the tile shows.
        tilt_deg: the camera's pitch and roll are within this angle, at most 10 degrees.
        noise: standard deviation of the sensor noise, in grey levels.
        compression: 0 for JPEG quality 90, 1 for any quality from 40 to 95.
        air: what the photo shows and no tile: clouds, glare, far hills, leaves and stains, 0 for none to 1.
    """

    offset: _Half = 0.25
    light: _Share = 1.0
    colour: _Share = 1.0
    season: _Share = 0.8
    vehicles: Annotated[int, Ge(0)] = 4
    people: Annotated[int, Ge(0)] = 6
    change: _Half = 0.04
    tilt_deg: Annotated[float, Ge(0), Le(10)] = 2.0
    noise: Annotated[float, Ge(0)] = 4.0
    compression: _Share = 1.0
    air: _Share = 0.0


@dataclass(frozen=True)
class Passer:
    """A vehicle or person near the camera, as a box with a lower and an upper part.

    Attributes:
        turn: direction of its left edge, as a share of a turn from the picture's left edge.
        width_turn: its width, as a share of a turn.
        distance_m: from the camera.
        depth_m: how far it reaches behind that.
        height_m: of its top.
        lower: colour RGB of the lower part.
        upper: colour RGB of the upper part.
    """

    turn: float
    width_turn: float
    distance_m: float
    depth_m: float
    height_m: float
    lower: tuple[float, float, float]
    upper: tuple[float, float, float]


@dataclass(frozen=True)
class Air:
    """What a photo shows beyond the place: sky, horizon, and the grain of what stands upright.

    Attributes:
        clouds: share of the sky that they cover.
        cloud: their grey level.
        zenith: the sky's colour overhead, RGB.
        glare: how far the sky around the sun is overexposed, 0 to 1.
        skyline_deg: greatest height of far woods and hills.
        skyline: their colour, RGB.
        grain: spread of brightness over leaves and walls, 0 to 1.
        key: what is drawn from.
    """

    clouds: float
    cloud: float
    zenith: tuple[float, float, float]
    glare: float
    skyline_deg: float
    skyline: tuple[float, float, float]
    grain: float
    key: int


@dataclass(frozen=True)
class Appearance:
    """How one picture renders the place.

    Attributes:
        sun: unit vector (east, north, up) towards the sun.
        sun_share: share of direct light, 0 (overcast) to 1.
        exposure: overall gain.
        rendition: 3 x 3 matrix from scene colours to sensor channels, rows for output channels.
        tone: exponent of the tone curve, 1 for none.
        haze_m: distance at which haze takes 63 % of the contrast.
        season: -1 (fresh green) to 1 (dry brown).
        noise: standard deviation of the sensor noise, in grey levels.
        noise_seed: what the noise is drawn from.
        jpeg_quality: of the stored picture.
        passers: vehicles and people, seen from the ground only.
        air: sky and far horizon, seen from the ground only; None for a plain sky and smooth sides.
    """

    sun: tuple[float, float, float]
    sun_share: float
    exposure: float
    rendition: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
    tone: float
    haze_m: float
    season: float
    noise: float
    noise_seed: int
    jpeg_quality: int = 90
    passers: tuple[Passer, ...] = ()
    air: Air | None = None

    def develop(self, linear: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Scene colours [H, W, 3] in grey levels -> the uint8 picture this sensor takes of them."""
        # Sums of products written out: a matrix product may be rounded differently by another processor's library.
        mix = np.array(self.rendition, np.float32) * np.float32(self.exposure)
        red, green, blue = linear[..., 0], linear[..., 1], linear[..., 2]
        picture = np.stack([row[0] * red + row[1] * green + row[2] * blue for row in mix], axis=-1)
        if self.noise > 0:
            random = np.random.default_rng(self.noise_seed)
            grain = random.integers(0, 256, (2, *linear.shape), np.uint8).astype(np.float32).sum(axis=0) - 255.0
            picture += grain * np.float32(self.noise / 104.5)  # the sum of two such bytes has this deviation
        levels: NDArray[np.uint8] = _tone_curve(self.tone)[picture.clip(0, 255).astype(np.uint8)]
        return levels


@dataclass(frozen=True)
class Pose:
    """How a camera is held: metres above or below its usual height, and how far it leans, in degrees."""

    lift_m: float
    pitch_deg: float
    roll_deg: float


def draw_pose(seed: int, number: int, difficulty: Difficulty) -> Pose:
    """The pose of the camera of one panorama; a stream of its own, so that no picture's look follows from it."""
    lift, pitch, roll = np.random.default_rng((seed & 0xFFFFFFFF, number, _POSE)).random(3) * 2.0 - 1.0
    return Pose(float(0.5 * lift), float(difficulty.tilt_deg * pitch), float(difficulty.tilt_deg * roll))


def draw_appearance(seed: int, number: int, difficulty: Difficulty, *, from_ground: bool) -> Appearance:
    """The appearance of one picture; `number` tells the pictures of a seed apart."""
    random = np.random.default_rng((seed & 0xFFFFFFFF, number, int(from_ground)))
    draw = random.random(16)
    spread = difficulty.light * (draw * 2.0 - 1.0)
    sun, warmth = _sun(spread)
    return Appearance(
        sun=sun,
        sun_share=float(0.45 + 0.4 * spread[2]),
        exposure=float(1.0 + 0.25 * spread[3]),
        rendition=_rendition(random.random(7) * 2.0 - 1.0, difficulty.colour, warmth, spread[4:6]),
        tone=float(1.0 + 0.25 * difficulty.colour * (draw[9] * 2.0 - 1.0)),
        haze_m=float((1000.0 if from_ground else 4000.0) * (1.0 + 0.8 * spread[6])),
        season=float(difficulty.season * (draw[7] * 2.0 - 1.0)),
        noise=float(difficulty.noise * draw[8]),
        noise_seed=int(random.integers(0, 2**31)),
        jpeg_quality=round(90 + difficulty.compression * (40 + 55 * float(draw[10]) - 90)),
        passers=_passers(random, difficulty) if from_ground else (),
        air=_air(seed, number, difficulty.air) if from_ground and difficulty.air else None,
    )


def _air(seed: int, number: int, spread: float) -> Air:
    random = np.random.default_rng((seed & 0xFFFFFFFF, number, _AIR))
    draw = [spread * float(value) for value in random.random(11)]
    blue, far = 1.0 - 0.5 * draw[0], 0.4 + 0.8 * draw[1]
    return Air(
        clouds=draw[2],
        cloud=150.0 + 105.0 * draw[3],
        zenith=(40.0 + 110.0 * draw[4], 80.0 + 90.0 * draw[4], 210.0 * blue),
        glare=draw[5] ** 3,
        skyline_deg=7.0 * draw[6] ** 2,
        skyline=(90.0 * far * (0.8 + 0.4 * draw[7]), 100.0 * far, 90.0 * far * (0.6 + 0.7 * draw[8])),
        grain=0.1 * spread + 0.4 * draw[9],
        key=int(random.integers(0, 2**31)),
    )


def _sun(spread: NDArray[np.float64]) -> tuple[tuple[float, float, float], float]:
    """Unit vector towards the sun, 11 to 87 degrees high, and how warm its light is: -0.6 overhead to 0.7 when low.

    The world lies in the southern hemisphere: the sun stands in the north.
    """
    east, north, up = 1.8 * spread[0], 1.0 + 0.9 * spread[1], 1.25 + 0.75 * spread[11]
    norm = np.sqrt(east**2 + north**2 + up**2)
    height = up / norm
    return (float(east / norm), float(north / norm), float(height)), float(1.0 - 1.6 * height)


def _rendition(
    draw: NDArray[np.float64], colour: float, warmth: float, balance: NDArray[np.float64]
) -> tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]:
    """Saturation, mixing of the channels, white balance and the warmth of the light as one matrix."""
    saturation = 1.0 + colour * (0.35 * draw[0] - 0.1)
    grey = (1.0 - saturation) * np.array([0.3, 0.59, 0.11])
    matrix = np.tile(grey, (3, 1)) + saturation * np.eye(3)
    leak = 0.08 * colour * draw[1:7].reshape(3, 2)
    for row, columns in enumerate(((1, 2), (0, 2), (0, 1))):
        matrix[row, columns] += leak[row]
        matrix[row, row] -= leak[row].sum()
    gain = np.array([1.0 + 0.10 * balance[0] + 0.10 * warmth, 1.0, 1.0 + 0.10 * balance[1] - 0.12 * warmth])
    rows = (matrix * gain[:, None]).tolist()
    return tuple(rows[0]), tuple(rows[1]), tuple(rows[2])


def _tone_curve(tone: float) -> NDArray[np.uint8]:
    """Levels 0-255 through a power; tables round away what processors may disagree on."""
    curve = np.round(255.0 * (np.arange(256) / 255.0) ** tone, 3)
    return (curve + 0.5).clip(0, 255).astype(np.uint8)


def _passers(random: np.random.Generator, difficulty: Difficulty) -> tuple[Passer, ...]:
    vehicles = int(random.integers(0, difficulty.vehicles + 1))
    people = int(random.integers(0, difficulty.people + 1))
    return tuple(_vehicle(random.random(10)) for _ in range(vehicles)) + tuple(
        _person(random.random(10)) for _ in range(people)
    )


def _vehicle(draw: NDArray[np.float64]) -> Passer:
    distance = 5.0 + 14.0 * draw[1]
    paint = _colour(40.0 + 190.0 * draw[4], draw[5], draw[6])
    glass = paint[0] * 0.6, paint[1] * 0.6, paint[2] * 0.6
    return _box(draw[0], 2.0 + 3.0 * draw[2], distance, 1.8, 1.4 + 1.4 * draw[3] ** 3, paint, glass)


def _person(draw: NDArray[np.float64]) -> Passer:
    distance = 3.0 + 12.0 * draw[1] ** 1.5
    trousers = _colour(30.0 + 110.0 * draw[4], draw[5], draw[6])
    shirt = _colour(40.0 + 210.0 * draw[7], draw[8], draw[9])
    return _box(draw[0], 0.4 + 0.3 * draw[2], distance, 0.5, 1.5 + 0.4 * draw[3], trousers, shirt)


def _box(
    turn: float,
    width_m: float,
    distance_m: float,
    depth_m: float,
    height_m: float,
    lower: tuple[float, float, float],
    upper: tuple[float, float, float],
) -> Passer:
    width_turn = width_m / (6.2831853 * distance_m)
    return Passer(float(turn), float(width_turn), float(distance_m), depth_m, float(height_m), lower, upper)


def _colour(tone: float, green: float, blue: float) -> tuple[float, float, float]:
    return float(tone), float(tone * (0.5 + 0.5 * green)), float(tone * (0.5 + 0.5 * blue))
