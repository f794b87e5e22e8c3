"""Why a photo matches a tile: finds heading and anchor at which it does, and asks the network for the contributions."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.index.zones import SearchResult
from indexer.localization.answer import PreparedPhoto
from indexer.localization.localizer import Localizer
from model.inputs.heading_search import Hit, rolled, search_headings
from model.inputs.transforms import InputSpec, resize_tile
from service.errors import NotReady, TileNotFound

if TYPE_CHECKING:
    from model.network.explanation import Explainer, Explanation

__all__ = ["Explained", "Explaining"]

_Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Explained:
    """One explanation and what it is about.

    Attributes:
        explanation: contributions of pairs.
        canvas: uint8 [H, W, 3], what the network saw of the photo, north in its middle.
        heading_deg: of the photo's centre, given or found.
        row: the tile's.
    """

    explanation: Explanation
    canvas: _Pixels
    heading_deg: float
    row: int

    @property
    def canvas_url(self) -> str:
        """The canvas as a `data:` address."""
        buffer = io.BytesIO()
        Image.fromarray(self.canvas).save(buffer, "PNG")
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


class Explaining:
    """Explains matches of one localizer; the network is loaded when it is first needed."""

    def __init__(self, localizer: Localizer, checkpoint: str) -> None:
        self._localizer = localizer
        self._checkpoint = checkpoint
        self._explainer: Explainer | None = None
        self._lock = threading.Lock()

    def explain(self, photo: PreparedPhoto, row: int) -> Explained:
        """Why the photo scores as it does with the tile of a row.

        Raises:
            TileNotFound: the tile's picture cannot be read any more.
            NotReady: torch is not installed.
        """
        hit = self._best(photo, row)
        canvas = photo.canvas
        if photo.view.heading_deg is None:
            canvas = rolled(canvas, [round(hit.heading_deg * canvas.shape[1] / 360.0)])[0]
        anchor = self._localizer.index.anchor_points[hit.anchor]
        tile = self._tile_pixels(row)
        with self._lock:
            explanation = self._loaded().explain(canvas, tile, anchor=(anchor[0], anchor[1]))
        return Explained(explanation, canvas, hit.heading_deg, row)

    def _best(self, photo: PreparedPhoto, row: int) -> Hit:
        """At which heading and anchor the tile matches best."""
        index, encoder = self._localizer.index, self._localizer.encoder
        vectors = index.vector(row).astype(np.float32)

        def find(asked: NDArray[np.float32]) -> Sequence[SearchResult]:
            scores = asked @ vectors.T
            rows = np.array([row], np.int64)
            return [
                SearchResult(rows, one.max(keepdims=True), one.argmax(keepdims=True), exact=True, scanned=1)
                for one in scores
            ]

        heading_deg = photo.view.heading_deg
        return search_headings(photo.canvas, encoder, find, heading_deg=heading_deg, count=self._localizer.headings)[0]

    def _tile_pixels(self, row: int) -> _Pixels:
        index, inputs = self._localizer.index, self._localizer.encoder.inputs
        if not index.has_pictures:
            raise TileNotFound("the pictures of this index's tiles are not on disk any more")
        picture = index.picture(row, at_least_px=_at_least(inputs))
        if picture is None:
            raise TileNotFound(f"the picture of tile {index.tile(row).tile_id} cannot be read any more")
        return resize_tile(picture, inputs)

    def _loaded(self) -> Explainer:
        if self._explainer is None:
            try:
                from model.network.explanation import Explainer
            except ImportError as error:
                raise NotReady("explaining a match needs torch, which this service runs without") from error
            explainer = Explainer.load(self._checkpoint)
            if explainer.inputs.ground_size_px != self._localizer.encoder.inputs.ground_size_px:
                raise NotReady(
                    f"matches were found by another network than {self._checkpoint}, which would explain them"
                )
            self._explainer = explainer
        return self._explainer


def _at_least(inputs: InputSpec) -> tuple[int, int] | None:
    return inputs.satellite_size_px if inputs.antialias else None
