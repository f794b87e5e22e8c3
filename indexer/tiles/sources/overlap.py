"""Files of a mosaic of which one hides another: two dates of one place, say, of which the first by name is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexer.tiles.sources.bands import RasterFile
from model.common.counted import counted

__all__ = ["hidden_files"]

_MOST_OF_IT = 0.6
"""Share of a file's box; neighbours in a mosaic overlap by a few hundredths."""
_MOST_FILES = 4000
"""Each is compared with all others."""


def hidden_files(files: Sequence[RasterFile]) -> list[str]:
    """A remark where most of a file's ground is that of files drawn before it; boxes are compared, not pixels."""
    if not 1 < len(files) <= _MOST_FILES:
        return []
    west, south, east, north = np.array([file.bounds.as_tuple() for file in files]).T
    east = np.where(east < west, east + 360.0, east)
    hidden = []
    for row in range(1, len(files)):
        across = np.minimum(east[:row], east[row]) - np.maximum(west[:row], west[row])
        down = np.minimum(north[:row], north[row]) - np.maximum(south[:row], south[row])
        shared = np.clip(across, 0, None) * np.clip(down, 0, None)
        share = shared / ((east[row] - west[row]) * (north[row] - south[row]))
        if share.max() > _MOST_OF_IT:
            hidden.append((row, int(share.argmax()), float(share.max())))
    if not hidden:
        return []
    row, above, share = hidden[0]
    more = f", and {counted(len(hidden) - 1, 'more file')} likewise" if len(hidden) > 1 else ""
    return [
        f"{files[above].name} lies over {share:.0%} of {files[row].name}{more}: where both have data the first by name "
        "is drawn. If they are of different dates, index each by itself"
    ]
