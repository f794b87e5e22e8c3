"""Whether the overviews of a raster are still its own: GDAL reads shallow zooms from them, whatever they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.optional import load_rasterio
from indexer.tiles.sources.named_overviews import overview_file

__all__ = ["doubts_of_overviews"]

_SIDE_PX = 48
"""Of a window, in the pixels of the first overview."""
_PLACES = (0.25, 0.5, 0.75)
_APART = 0.1
"""Share of the range of values by which the mean of a window may differ: resampling shifts it by far less."""


def doubts_of_overviews(data: Any, path: Path) -> list[str]:
    """A remark where the overviews of a raster, in itself, beside it or in a file that it names, show something else.

    Args:
        data: the open dataset.
        path: its file.
    """
    if not data.overviews(1) or not path.is_file():  # to compare those of an address costs requests
        return []
    places = [overview_file(path), Path(f"{path}.ovr")]
    beside = next((place for place in places if place is not None and place.is_file()), None)
    origin = "its overviews show" if beside is None else f"{beside.name} shows"
    factor = data.overviews(1)[0]
    try:
        with load_rasterio().open(path, OVERVIEW_LEVEL="NONE") as whole:
            pairs = [_pair(data, whole, factor, place) for place in _PLACES]
    except Exception:  # what cannot be read fails where it is drawn; GDAL's errors have no common base
        return []
    values = np.concatenate([part for pair in pairs for part in pair])
    apart = max((abs(float(one.mean() - other.mean())) for one, other in pairs if len(one) and len(other)), default=0.0)
    if not len(values) or apart <= _APART * float(np.ptp(values)):
        return []
    return [
        f"{origin} something else than the raster itself (means differ by {apart:.4g}), and shallow zooms "
        "are read from it; make the overviews anew (gdaladdo)"
    ]


def _pair(data: Any, whole: Any, factor: int, place: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """The first band's values that are data in a window, from the overviews and from the raster itself."""
    rasterio = load_rasterio()
    width, height = min(_SIDE_PX * factor, data.width), min(_SIDE_PX * factor, data.height)
    left, top = round((data.width - width) * place), round((data.height - height) * place)
    window = rasterio.windows.Window(left, top, width, height)
    shape = max(1, height // factor), max(1, width // factor)
    reads = (file.read(1, window=window, out_shape=shape, masked=True) for file in (data, whole))
    small, large = (values.compressed().astype(np.float64) for values in reads)
    return small[np.isfinite(small)], large[np.isfinite(large)]
