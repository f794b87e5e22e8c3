"""Pictures of a data set at the encoder's size: read one by one, or in batches that threads decode ahead."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.common.images import decode_image
from model.data.pairs import PairSet, Query, Reference
from model.inputs.transforms import InputSpec, lay_panorama, resize_tile

__all__ = [
    "PictureFiles",
    "Pictures",
    "lay_query",
    "load_query",
    "load_reference",
    "load_wide_reference",
    "loads_of",
    "margin_px",
    "open_query",
    "view_batches",
]

_AHEAD = 2
"""Batches decoded ahead of the one that is worked on."""

_Pixels = NDArray[np.uint8]
Item = TypeVar("Item")


def load_query(query: Query, inputs: InputSpec) -> _Pixels:
    """A query's picture on the encoder's canvas, uint8 [H, W, 3]."""
    return lay_query(open_query(query, inputs), query, inputs)


def open_query(query: Query, inputs: InputSpec) -> Image.Image:
    """A query's picture, no smaller than its canvas if the file is not."""
    return decode_image(query.path, at_least_px=inputs.ground_decode_px)


def lay_query(picture: Image.Image, query: Query, inputs: InputSpec) -> _Pixels:
    """A query's opened picture on the encoder's canvas, uint8 [H, W, 3]."""
    return lay_panorama(
        picture, inputs, heading_deg=query.heading_deg, fov_deg=query.fov_deg, vertical_deg=query.vertical_deg
    )


def load_reference(reference: Reference, inputs: InputSpec) -> _Pixels:
    """A tile at the encoder's size and without its margin, uint8 [H, W, 3]."""
    return _load_tile(reference, inputs, keep_px=0)


def load_wide_reference(reference: Reference, inputs: InputSpec) -> _Pixels:
    """A tile with its margin, uint8 [H, W, 3]; its middle is the tile at the encoder's size."""
    return _load_tile(reference, inputs, keep_px=margin_px(reference, inputs))


def loads_of(pairs: PairSet) -> tuple[Callable[[Query, InputSpec], _Pixels], Callable[[Reference, InputSpec], _Pixels]]:
    """How the queries and how the references of a data set are read: for the side of the encoder of each."""
    return (
        load_query if pairs.query_view == "ground" else _load_query_tile,
        load_reference if pairs.reference_view == "satellite" else _load_reference_canvas,
    )


def _load_query_tile(query: Query, inputs: InputSpec) -> _Pixels:
    return load_reference(Reference(query.path), inputs)


def _load_reference_canvas(reference: Reference, inputs: InputSpec) -> _Pixels:
    return load_query(Query(reference.path), inputs)


def margin_px(reference: Reference, inputs: InputSpec) -> int:
    """Whole pixels of margin on every side of a tile at the encoder's size."""
    return int(inputs.satellite_px * reference.margin)


def _load_tile(reference: Reference, inputs: InputSpec, *, keep_px: int) -> _Pixels:
    side_px = math.ceil(inputs.satellite_px * (1.0 + 2.0 * reference.margin))
    picture = decode_image(reference.path, at_least_px=(side_px, side_px) if inputs.antialias else None)
    return resize_tile(picture, inputs, margin=reference.margin, keep_px=keep_px)


class Pictures(Protocol):
    """Where training takes its pictures from: decoded on demand, or decoded before (`model.data.image_cache`)."""

    def query(self, row: int) -> _Pixels:
        """A query's canvas, uint8 [H, W, 3]."""

    def reference(self, row: int) -> _Pixels:
        """A tile with its margin, uint8 [S, S, 3]."""


@dataclass(frozen=True)
class PictureFiles:
    """Pictures decoded each time they are asked for."""

    pairs: PairSet
    inputs: InputSpec

    def query(self, row: int) -> _Pixels:
        """A query's canvas, uint8 [H, W, 3]."""
        return load_query(self.pairs.queries[row], self.inputs)

    def reference(self, row: int) -> _Pixels:
        """A tile with its margin, uint8 [S, S, 3]."""
        return load_wide_reference(self.pairs.references[row], self.inputs)


def view_batches(
    items: Sequence[Item], load: Callable[[Item, InputSpec], _Pixels], inputs: InputSpec, *, batch: int, workers: int
) -> Iterator[_Pixels]:
    """Batches of one view in order, uint8 [B, H, W, 3].

    Args:
        items: what is loaded.
        load: reads one of them.
        inputs: sizes of the pictures.
        batch: pictures of a batch; the last one may be smaller.
        workers: threads that decode ahead; 0 decodes when a batch is asked for.
    """
    if not workers:
        for start in range(0, len(items), batch):
            yield np.stack([load(item, inputs) for item in items[start : start + batch]])
        return
    waiting: deque[list[Future[_Pixels]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        try:
            for start in range(0, len(items), batch):
                waiting.append([pool.submit(load, item, inputs) for item in items[start : start + batch]])
                if len(waiting) > _AHEAD:
                    yield np.stack([one.result() for one in waiting.popleft()])
            while waiting:
                yield np.stack([one.result() for one in waiting.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)
