"""How many bits a corpus's 16-bit pictures use: one answer for all tiles, so that equal ground looks equal."""

from __future__ import annotations

import numpy as np

from indexer.common.errors import TileWithoutData
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileTable
from model.common.deep_pixels import value_bits_of
from model.common.errors import BadImage

__all__ = ["VALUE_BITS", "probe_value_bits"]

VALUE_BITS = "value_bits"
"""Its name among what the manifest says of the source."""
_PROBED = 48


def probe_value_bits(source: TileSource, tiles: TileTable) -> int | None:
    """The most bits that any of some tiles of 16 bits uses, spread over all; None where there is none of them."""
    most: int | None = None
    for number in np.unique(np.linspace(0, len(tiles) - 1, _PROBED).astype(np.int64)).tolist():
        try:
            picture = source.read(tiles.record(number))
            bits = value_bits_of(picture) if isinstance(picture, bytes) else None
        except (BadImage, TileWithoutData, OSError):
            continue
        except Exception:  # a decoder may raise anything; the tile fails, with its reason, when it is its turn
            continue
        if bits is not None:
            most = max(bits, most or 0)
    return most
