"""Panoramas to tune lists by: photos that somebody gave, or else street views drawn of the tiles themselves.

A drawn one lays a tile flat under a camera at its centre, in light and season of its own, with cars and people about:
far from a photo, but what the ground side of the encoder makes of it lies where queries lie, and no tile's vector does.
"""

from __future__ import annotations

import logging
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.building.decoding import open_picture
from indexer.building.plan import BuildPlan
from indexer.building.specs import BuildSpec
from indexer.common.encoders import QueryEncoder, TileEncoder
from indexer.common.errors import TileWithoutData
from indexer.index.trial import MOST_QUERIES, MakeTrial, Trial, spread
from indexer.tiles.depth import VALUE_BITS
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.errors import BadConfig, BadImage
from model.common.geo import EARTH_RADIUS_M
from model.data.manifest import Photos
from model.data.pictures import load_query
from model.data.sources import open_photos
from model.inputs.transforms import InputSpec, lay_panorama
from model.synthetic.aerial import mirrored
from model.synthetic.appearance import Difficulty, draw_appearance, draw_pose
from model.synthetic.ground import PIXEL_M, Ground, Material, Window
from model.synthetic.panorama import VIEW_M, Camera, render_panorama

__all__ = ["draw_street_view", "drawn_trial", "make_trial", "photo_trial"]

logger = logging.getLogger(__name__)

_DRAWN, _BATCH = 100, 32
_LOOK, _SEED = Difficulty(air=1.0), 7
_VERTICAL_DEG = 60.0
_BORDER_PX = int((VIEW_M + 10.0) / PIXEL_M)
_SIDES_M = 30.0, 300.0
"""Least and greatest ground of a drawing: what lies farther off than a street is seen is no part of it."""
_GREENER = 12
"""Grey levels by which what grows is greener than it is red or blue, on the mean."""

_Pixels = NDArray[np.uint8]


def make_trial(encoder: TileEncoder, source: TileSource, plan: BuildPlan, spec: BuildSpec) -> MakeTrial:
    """What a build tunes its lists by, made when it is needed; the list of photos is read now.

    Raises:
        BadDataset: the manifest of photos cannot be read.
        BadConfig: there are photos, and the encoder embeds none.
    """
    if spec.trial is None:
        return lambda: drawn_trial(encoder, source, plan.tiles, plan.source)
    if not hasattr(encoder, "encode_ground"):
        raise BadConfig(f"encoder {encoder.name} embeds no photos; leave --trial {spec.trial} out")
    photos = open_photos(spec.trial)
    return lambda: photo_trial(cast("QueryEncoder", encoder), photos)


def photo_trial(encoder: QueryEncoder, photos: Photos) -> Trial:
    """A trial of photos, at most `MOST_QUERIES` of them, each with its middle as it was taken.

    Raises:
        BadImage: a photo cannot be read.
    """
    chosen = [photos.queries[number] for number in spread(len(photos.queries), MOST_QUERIES).tolist()]
    return Trial(
        _embedded(encoder, [load_query(query, encoder.inputs) for query in chosen]), f"photos of {photos.name}"
    )


def drawn_trial(encoder: TileEncoder, source: TileSource, tiles: TileTable, described: dict[str, Any]) -> Trial | None:
    """A trial of views drawn of evenly spread tiles; None where the encoder embeds no photos, or no tile can be read.

    Args:
        encoder: made the vectors.
        source: where the tiles come from.
        tiles: what is in the index.
        described: what the manifest will say of the source.
    """
    if not hasattr(encoder, "encode_ground"):
        return None
    bits = described.get(VALUE_BITS)
    canvases = []
    for row in spread(len(tiles), _DRAWN).tolist():
        tile = tiles.record(row)
        try:
            picture = open_picture(source.read(tile), encoder.inputs, bits)
        except (TileWithoutData, BadImage, OSError) as error:
            logger.info("no view is drawn of tile %s: %s", tile.tile_id, error)
            continue
        canvases.append(draw_street_view(picture, _side_m(tile), encoder.inputs, number=row))
    if not canvases:
        return None
    return Trial(_embedded(cast("QueryEncoder", encoder), canvases), "panoramas drawn of its tiles")


def draw_street_view(tile: Image.Image, side_m: float, inputs: InputSpec, *, number: int) -> _Pixels:
    """A panorama as from the centre of a tile, on the encoder's canvas, uint8 [H, W, 3], north in the middle.

    Args:
        tile: RGB, north up.
        side_m: of the ground that it shows.
        inputs: sizes of the encoder's pictures.
        number: light, season and passers-by are drawn from it.
    """
    side_px = round(min(max(side_m, _SIDES_M[0]), _SIDES_M[1]) / PIXEL_M)
    colours = np.asarray(tile.convert("RGB").resize((side_px, side_px), Image.Resampling.BILINEAR))
    levels = colours.astype(np.int16)
    grows = 2 * levels[..., 1] - levels[..., 0] - levels[..., 2] > 2 * _GREENER
    material = np.where(grows, Material.GARDEN, Material.ROAD).astype(np.uint8)
    flat = np.zeros(material.shape, np.float32)
    ground = mirrored(Ground(Window(0, 0, side_px, side_px), flat, colours, colours, material), _BORDER_PX)
    middle_m = side_px / 2 * PIXEL_M
    size_px = inputs.ground_width_px, inputs.ground_width_px // 4
    held = Camera.held(
        middle_m, -middle_m, draw_pose(_SEED, number, _LOOK), size_px=size_px, vertical_deg=_VERTICAL_DEG
    )
    drawn = render_panorama(ground, held, draw_appearance(_SEED, number, _LOOK, from_ground=True))
    return lay_panorama(Image.fromarray(drawn), inputs, vertical_deg=_VERTICAL_DEG)


def _side_m(tile: TileRecord) -> float:
    return float(np.radians(tile.bounds.north - tile.bounds.south) * EARTH_RADIUS_M)


def _embedded(encoder: QueryEncoder, canvases: list[_Pixels]) -> NDArray[np.float32]:
    starts = range(0, len(canvases), _BATCH)
    return np.concatenate([encoder.encode_ground(np.stack(canvases[at : at + _BATCH])) for at in starts])
