"""How training pairs are changed: the settings below `data.augment`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from annotated_types import Ge, Le

from model.common.errors import BadConfig
from model.common.specs import Wanted, spec

__all__ = ["ON_WORKERS", "AugmentSpec"]

_Share = Annotated[float, Ge(0), Le(1)]

_EITHER = (("blur", "sharpen"), ("erase", "grid", "holes"))
"""Probabilities of which at most one comes true for a picture."""
ON_WORKERS = ("colour", "jpeg", "shift_colours", "blur", "sharpen", "erase", "grid", "holes")
"""What `data.augment_on` "device" leaves out (`model.training.changed_on_device`)."""
_RAMPED = ("shift", "fov_share", "heading_jitter_deg", "horizon_deg")


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
