"""What differs between two pictures of one place: light, season, air, sensor, camera and passing vehicles.

An `Appearance` is drawn for each picture from a number, so the same number always gives the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.errors import BadConfig

__all__ = ["Appearance", "Difficulty", "Vehicle", "draw_appearance"]


@dataclass(frozen=True)
class Difficulty:
    """How much two pictures of one place may differ.

    Attributes:
        offset: the camera stands within this share of the tile's side from its centre, along each axis, in [0, 0.5].
        light: spread of sun, exposure, white balance and haze, 0 (noon, clear) to 1.
        season: spread of the vegetation's tint, 0 to 1.
        vehicles: vehicles in the panorama that the tile does not show, at most this many.
        noise: standard deviation of the sensor noise, in grey levels.
    """

    offset: float = 0.0
    light: float = 1.0
    season: float = 0.5
    vehicles: int = 4
    noise: float = 4.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.offset <= 0.5:
            raise BadConfig(f"offset is {self.offset}; give a share of the tile's side in [0, 0.5]")
        for name in ("light", "season"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise BadConfig(f"{name} is {getattr(self, name)}; give a number in [0, 1]")
        if self.vehicles < 0 or self.noise < 0:
            raise BadConfig(f"vehicles is {self.vehicles} and noise {self.noise}; neither can be negative")


@dataclass(frozen=True)
class Vehicle:
    """A box near the camera: direction and width as shares of a turn, distance and height in metres, colour RGB."""

    turn: float
    width_turn: float
    distance_m: float
    height_m: float
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Appearance:
    """How one picture renders the place.

    Attributes:
        sun: unit vector (east, north, up) towards the sun.
        sun_share: share of direct light, 0 (overcast) to 1.
        exposure: overall gain.
        balance: gain of each channel.
        haze_m: distance at which haze takes 63 % of the contrast.
        season: -1 (fresh green) to 1 (dry brown).
        noise: standard deviation of the sensor noise, in grey levels.
        noise_seed: what the noise is drawn from.
        vehicles: seen from the ground only.
    """

    sun: tuple[float, float, float]
    sun_share: float
    exposure: float
    balance: tuple[float, float, float]
    haze_m: float
    season: float
    noise: float
    noise_seed: int
    vehicles: tuple[Vehicle, ...] = ()

    def develop(self, linear: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Scene colours [H, W, 3] in grey levels -> the uint8 picture this sensor takes of them."""
        gain = self.exposure * np.array(self.balance, np.float32)
        picture = linear * gain
        if self.noise > 0:
            random = np.random.default_rng(self.noise_seed)
            grain = random.integers(0, 256, (2, *linear.shape), np.uint8).astype(np.float32).sum(axis=0) - 255.0
            picture += grain * np.float32(self.noise / 104.5)  # the sum of two such bytes has this deviation
        return picture.clip(0, 255).astype(np.uint8)


def draw_appearance(seed: int, number: int, difficulty: Difficulty, *, from_ground: bool) -> Appearance:
    """The appearance of one picture; `number` tells the pictures of a seed apart."""
    random = np.random.default_rng((seed & 0xFFFFFFFF, number, int(from_ground)))
    draw = random.random(16)
    spread = difficulty.light * (draw * 2.0 - 1.0)
    slope_east, slope_north = 1.6 * spread[0], -1.0 - 1.4 * spread[1]
    norm = np.sqrt(slope_east**2 + slope_north**2 + 1.4**2)
    count = int(random.integers(0, difficulty.vehicles + 1)) if from_ground and difficulty.vehicles else 0
    return Appearance(
        sun=(float(slope_east / norm), float(-slope_north / norm), float(1.4 / norm)),
        sun_share=float(0.45 + 0.4 * spread[2]),
        exposure=float(1.0 + 0.22 * spread[3]),
        balance=(float(1.0 + 0.09 * spread[4]), 1.0, float(1.0 + 0.09 * spread[5])),
        haze_m=float((1000.0 if from_ground else 4000.0) * (1.0 + 0.8 * spread[6])),
        season=float(difficulty.season * (draw[7] * 2.0 - 1.0)),
        noise=float(difficulty.noise * draw[8]),
        noise_seed=int(random.integers(0, 2**31)),
        vehicles=tuple(_vehicle(random.random(7)) for _ in range(count)),
    )


def _vehicle(draw: NDArray[np.float64]) -> Vehicle:
    distance = 5.0 + 14.0 * draw[1]
    tone = 40.0 + 190.0 * draw[4]
    return Vehicle(
        turn=float(draw[0]),
        width_turn=float((2.0 + 3.0 * draw[2]) / (6.2831853 * distance)),
        distance_m=float(distance),
        height_m=float(1.4 + 1.4 * draw[3] ** 3),
        colour=(float(tone), float(tone * (0.5 + 0.5 * draw[5])), float(tone * (0.5 + 0.5 * draw[6]))),
    )
