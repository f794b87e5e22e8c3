"""`verify`: an index folder against itself, its source and its encoder."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge

from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from model.common.counted import counted
from model.common.flags import Option
from model.common.specs import spec
from model.network.specs import EncoderOptions

__all__ = ["VerifyOptions", "run"]


@spec(kw_only=True)
class VerifyOptions(EncoderOptions, IndexOptions):
    """Which index, and how closely to look."""

    sample: Annotated[int, Ge(0), Option("tiles embedded again", "N")] = 16


def run(options: VerifyOptions) -> int:
    """Check an index folder against itself, its source and its encoder."""
    from indexer.building.verify import verify_index
    from indexer.index.tile_index import TileIndex
    from model.network.encoder import Encoder

    index = TileIndex.open(options.index, verify=True)
    anchors = math.isqrt(index.anchors)
    encoder = Encoder.load(options.checkpoint, device=options.device, engine=options.engine, anchors=anchors)
    report = verify_index(index, encoder, sample=options.sample)
    print_lines(
        f"{index.folder}: digests, {counted(index.count, 'tile')}, {index.anchors} x {index.dim} numbers each, "
        "are right"
    )
    if report.sampled:
        print_lines(f"{report.sampled} tiles embedded again; least cosine similarity {report.least_similarity:.6f}")
    else:
        sources = sorted({str(segment.source_path) for segment in index.segments})
        print_lines(f"no tile was embedded again: {', '.join(sources)} is not on disk")
    print_lines(f"calibration: {'belongs to this index' if report.calibrated else 'none'}")
    return 0
