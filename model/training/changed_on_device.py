"""Changing the pairs of a batch where they are learned from: whole batches at once, on a GPU.

Pictures decoded before the first step lie in the device's memory, worker processes draw what is done to each pair, and
the device does it. What comes out is what `model.data.augment` makes of the same draws, but for the rounding of grey
levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.common.errors import BadConfig
from model.data.augment import LUMINANCE
from model.data.changes import Look, PairChange, Place
from model.data.image_cache import DecodedPictures
from model.inputs.transforms import NEUTRAL, InputSpec

__all__ = ["DevicePictures", "JoinedOnDevice"]

_CHUNK = 4096
"""Pictures copied to the device at once."""


class DevicePictures:
    """The decoded pictures of a data set, on a device."""

    def __init__(self, decoded: DecodedPictures, inputs: InputSpec, device: torch.device) -> None:
        """Copy them there.

        Raises:
            BadConfig: its memory does not hold them.
        """
        self.inputs, self.device = inputs, device
        try:
            self._grounds = _on_device(decoded.folder / "ground.npy", device)
            self._tiles = _on_device(decoded.folder / "tiles.npy", device)
        except torch.OutOfMemoryError as error:
            raise BadConfig(
                f"the decoded pictures in {decoded.folder} do not fit into the memory of {device}; "
                'set data.augment_on to "workers", or train on fewer pairs'
            ) from error
        self._sides = torch.tensor(decoded.sides_px, device=device)
        self.queries, self.references = len(self._grounds), len(self._tiles)

    def changed(self, queries: Tensor, references: Tensor, change: PairChange) -> tuple[Tensor, Tensor]:
        """The pictures of a batch, changed.

        Args:
            queries: int64 [B], rows of the queries.
            references: int64 [B], rows of their tiles.
            change: what is done to each pair, [B, ...].

        Returns:
            Panoramas, each followed by its turned copies, uint8 [B * (1 + turned), H, W, 3], and tiles [B, S, S, 3].
        """
        queries, references = queries.to(self.device), references.to(self.device)
        change = _each(change, self._moved)
        return self._canvases(queries, change), self._cut_tiles(references, change)

    def _moved(self, value: Tensor) -> Tensor:
        """On the device; in float32, since not every device has float64."""
        dtype = torch.float32 if value.is_floating_point() else value.dtype
        return value.to(self.device, dtype, non_blocking=True)

    def _canvases(self, rows: Tensor, change: PairChange) -> Tensor:
        height = min(self.inputs.ground_height_px, self._grounds.shape[1])
        width = self._grounds.shape[2]
        lines = change.place.top[:, None] + torch.arange(height, device=self.device)
        columns = _source_columns(change, width)
        canvas = self._grounds[rows[:, None, None], lines[:, :, None], columns[:, None, :]]
        canvas = _with_look(canvas, change.ground_look)
        canvas = torch.where(_seen_columns(change, width)[:, None, :, None], canvas, NEUTRAL)
        turns = torch.nn.functional.pad(_columns(change.turned_deg, width), (1, 0))  # [B, 1 + turned]; first as it is
        source = (torch.arange(width, device=self.device) - turns[:, :, None]) % width
        number = torch.arange(len(rows), device=self.device)[:, None, None, None]
        line = torch.arange(height, device=self.device)[:, None]
        return canvas[number, line, source[:, :, None, :]].flatten(0, 1)

    def _cut_tiles(self, rows: Tensor, change: PairChange) -> Tensor:
        tiles, sides, size = self._tiles[rows], self._sides[rows], self.inputs.satellite_px
        starts, anchors = change.place.box.unbind(1), change.place.anchor.unbind(1)
        across, down = (
            _shares(start, starts[2], anchor, sides, size, tiles.shape[1])
            for start, anchor in zip(starts[:2], anchors, strict=True)
        )
        cut = torch.einsum("bys,brsc->bryc", across, tiles.float()).round()
        cut = torch.einsum("bxr,bryc->bxyc", down, cut).round()
        covered = (down.amax(dim=2) > 0)[:, :, None] & (across.amax(dim=2) > 0)[:, None, :]
        cut = torch.where(covered[..., None], cut, float(NEUTRAL)).clamp(0, 255).to(torch.uint8)
        return _with_look(_turned(cut, change), change.tile_look)


class JoinedOnDevice:
    """The pictures of a data set, and of another one that is replayed; in a batch those of the first stand first."""

    def __init__(self, parts: Sequence[DevicePictures]) -> None:
        """One or two of them."""
        self._parts = parts

    def changed(self, queries: Tensor, references: Tensor, change: PairChange) -> tuple[Tensor, Tensor]:
        """As `DevicePictures` has it, rows counted through both."""
        first = self._parts[0]
        count = int((queries < first.queries).sum())
        whole = first.changed(queries[:count], references[:count], _each(change, lambda value: value[:count]))
        if len(self._parts) == 1:
            return whole
        again = self._parts[1].changed(
            queries[count:] - first.queries,
            references[count:] - first.references,
            _each(change, lambda value: value[count:]),
        )
        ground, satellite = (torch.cat(both) for both in zip(whole, again, strict=True))
        return ground, satellite


def _on_device(path: Path, device: torch.device) -> Tensor:
    pixels: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    held = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(pixels), _CHUNK):
        held[start : start + _CHUNK] = torch.from_numpy(pixels[start : start + _CHUNK].copy())
    return held


def _each(change: PairChange, do: Callable[[Tensor], Tensor]) -> PairChange:
    def done(value: Any) -> Any:
        return type(value)(*map(done, value)) if isinstance(value, (Place, Look)) else do(value)

    return PairChange._make(map(done, change))


def _columns(angle_deg: Tensor, width: int) -> Tensor:
    """Whole columns of an angle, as `roll_to_north` rounds them."""
    return (angle_deg / 360.0 * width).round().long()


def _source_columns(change: PairChange, width: int) -> Tensor:
    """Which column each column of a turned, mirrored and rolled canvas comes from, int64 [B, W]."""
    column = torch.arange(width, device=change.place.quarters.device)
    rolled = (column - _columns(change.place.heading_deg, width)[:, None]) % width
    mirrored = torch.where(change.place.mirrored[:, None], width - 1 - rolled, rolled)
    return (mirrored + torch.div(change.place.quarters * width, 4, rounding_mode="floor")[:, None]) % width


def _seen_columns(change: PairChange, width: int) -> Tensor:
    """Which columns a limited view shows, bool [B, W], as `limit_view` has it."""
    wide = _columns(change.fov_deg, width).clamp(min=1)
    left = (width - wide) // 2 + _columns(change.view_deg, width)
    return (torch.arange(width, device=wide.device) - left[:, None]) % width < wide[:, None]


def _shares(start: Tensor, side: Tensor, anchor: Tensor, sides: Tensor, size: int, source: int) -> Tensor:
    """How much of each pixel along one axis of a picture is in each of the tile's, [B, size, source].

    The triangle filter that Pillow resizes with, moved by the anchor; all 0 where that leaves the tile.
    """
    place = torch.arange(size, device=start.device) + anchor[:, None]
    scale = side / size
    middle = start[:, None] + (place + 0.5) * scale[:, None]
    pixel = torch.arange(source, device=start.device)
    reach = scale.clamp(min=1.0)[:, None, None]
    shares = (1.0 - (pixel + 0.5 - middle[:, :, None]).abs() / reach).clamp(min=0.0)
    shares = shares * (pixel < sides[:, None])[:, None, :] * ((place >= 0) & (place < size))[:, :, None]
    return shares / shares.sum(dim=2, keepdim=True).clamp(min=1e-6)


def _turned(tiles: Tensor, change: PairChange) -> Tensor:
    """Tiles [B, S, S, 3] after their quarter turns, and mirrored."""
    quarters = ((change.place.quarters + change.place.tile_quarters) % 4)[:, None, None, None]
    tiles = torch.where(quarters % 2 == 1, tiles.transpose(1, 2), tiles)
    tiles = torch.where((quarters == 1) | (quarters == 2), tiles.flip(1), tiles)
    return torch.where((quarters >= 2) ^ change.place.mirrored[:, None, None, None], tiles.flip(2), tiles)


def _with_look(pictures: Tensor, look: Look) -> Tensor:
    """Pictures uint8 [B, H, W, 3] in other colours, as `recolour` and `without_colour` make them."""
    luminance = torch.from_numpy(LUMINANCE).to(pictures.device)
    level = pictures.float() / 255.0
    grey = (level @ luminance)[..., None]
    level = grey + (level - grey) * _spread(look.saturation)
    level = torch.einsum("bhwc,bdc->bhwd", level, look.mixture) * look.balance[:, None, None]
    mean = level.mean(dim=(1, 2, 3), keepdim=True)
    level = (level - mean) * _spread(look.contrast) + mean * _spread(look.gain)
    other = (level.clamp(0.0, 1.0) ** _spread(look.exponent) * 255.0 + 0.5).to(torch.uint8)
    pictures = torch.where(look.recoloured[:, None, None, None], other, pictures)
    greys = (pictures.float() @ luminance + 0.5).to(torch.uint8)[..., None]
    return torch.where(look.grey[:, None, None, None], greys, pictures)


def _spread(value: Tensor) -> Tensor:
    return value[:, None, None, None]
