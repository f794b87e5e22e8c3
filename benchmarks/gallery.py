"""Galleries for benchmarks of search: embeddings of real files of tiles, with the noise of another season, and places.

The vectors are those that an encoder makes of the tiles of some data sets, at all its anchors; a gallery of any size
repeats them with noise, so that copies differ as two pictures of one place do. Queries are panoramas of one set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.data.pairs import PairSet
from model.data.pictures import load_query, load_reference, view_batches
from model.data.sources import open_pairs
from model.network.encoder import Encoder
from model.synthetic.appearance import Difficulty, draw_appearance
from model.synthetic.ground import Material
from model.synthetic.tile import tinted

__all__ = ["Embedded", "embed_sets", "noisy_rows", "season_likeness"]

_BATCH = 64
_GREENER = 24

_Half = NDArray[np.float16]


@dataclass(frozen=True)
class Embedded:
    """What an encoder makes of some data sets.

    Attributes:
        tiles: float16 [N, A, D], of every tile at its anchors.
        queries: float32 [Q, D], of the panoramas of the last set.
        right: int64 [Q], the tile of each.
    """

    tiles: _Half
    queries: NDArray[np.float32]
    right: NDArray[np.int64]


def embed_sets(names: Sequence[str], checkpoint: str, kept: Path) -> Embedded:
    """Embed the tiles of data sets and the panoramas of the last, or take what an earlier run kept.

    Args:
        names: as `model.data.sources.open_pairs` takes them; the queries are those of the last.
        checkpoint: bundle.
        kept: folder of what is kept; delete it when the names or the bundle change.
    """
    if not (kept / "right.npy").exists():
        kept.mkdir(parents=True, exist_ok=True)
        encoder = Encoder.load(checkpoint)
        sets = [open_pairs(name) for name in names]
        tiles = np.concatenate([_tiles(pairs, encoder) for pairs in sets])
        before = sum(len(pairs.references) for pairs in sets[:-1])
        np.save(kept / "tiles.npy", tiles)
        np.save(kept / "queries.npy", _queries(sets[-1], encoder))
        np.save(kept / "right.npy", sets[-1].positives + before)
    return Embedded(*(np.load(kept / f"{name}.npy") for name in ("tiles", "queries", "right")))


def season_likeness(name: str, checkpoint: str, count: int = 200) -> float:
    """Median cosine of what an encoder makes of a tile, and of it in another light, season and sensor.

    Args:
        name: of the data set.
        checkpoint: bundle.
        count: how many of its tiles.
    """
    encoder, pairs = Encoder.load(checkpoint, anchors=1), open_pairs(name)
    chosen = pairs.references[:: max(1, len(pairs.references) // count)]
    batches = list(view_batches(chosen, load_reference, encoder.inputs, batch=_BATCH, workers=1))
    pixels = np.concatenate(batches)
    others = np.stack([_in_other_season(one, number) for number, one in enumerate(pixels)])
    own, other = (
        np.concatenate([encoder.encode_satellite(all_of[at : at + _BATCH]) for at in range(0, len(all_of), _BATCH)])
        for all_of in (pixels, others)
    )
    return float(np.median((own * other).sum(axis=1)))


def _in_other_season(pixels: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    look = draw_appearance(11, number, Difficulty(), from_ground=False)
    levels = pixels.astype(np.int16)
    grows = 2 * levels[..., 1] - levels[..., 0] - levels[..., 2] > _GREENER
    return look.develop(tinted(pixels, np.where(grows, Material.GARDEN, Material.ROAD).astype(np.uint8), look.season))


def _tiles(pairs: PairSet, encoder: Encoder) -> _Half:
    batches = view_batches(pairs.references, load_reference, encoder.inputs, batch=_BATCH, workers=1)
    vectors = [encoder.encode_satellite(batch).astype(np.float16) for batch in batches]
    return np.concatenate(vectors).reshape(len(pairs.references), -1, encoder.dim)


def _queries(pairs: PairSet, encoder: Encoder) -> NDArray[np.float32]:
    batches = view_batches(pairs.queries, load_query, encoder.inputs, batch=_BATCH, workers=1)
    return np.concatenate([encoder.encode_ground(batch) for batch in batches])


def noisy_rows(vectors: NDArray[np.float32], likeness: float, random: np.random.Generator) -> _Half:
    """Unit vectors [N, D], each turned away from one of these to a cosine of `likeness`."""
    noise = random.standard_normal(vectors.shape, dtype=np.float32)
    noise -= (noise * vectors).sum(axis=1, keepdims=True) * vectors
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    turned = likeness * vectors + np.float32(np.sqrt(1.0 - likeness**2)) * noise
    unit: _Half = (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float16)
    return unit
