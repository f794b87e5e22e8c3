"""`info`: what an index folder holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from indexer.commands.options import IndexOptions
from indexer.commands.output import as_degrees, as_size, print_json, print_lines
from indexer.common.errors import BadCalibration
from model.common.flags import Option
from model.common.specs import spec

if TYPE_CHECKING:
    from indexer.index.tile_index import TileIndex

__all__ = ["InfoOptions", "run"]


@spec(kw_only=True)
class InfoOptions(IndexOptions):
    """Which index, and in what form."""

    json: Annotated[bool, Option("print the manifest and the calibrations as one JSON object")] = False


def run(options: InfoOptions) -> int:
    """Print what an index folder holds."""
    from indexer.confidence.storage import load_calibrations
    from indexer.index.manifest import EMBEDDINGS, MANIFEST
    from indexer.index.tile_index import TileIndex

    index = TileIndex.open(options.index)
    manifest = index.manifest
    if options.json:
        content = json.loads((index.folder / MANIFEST).read_bytes())
        calibrations = load_calibrations(index.folder, manifest).each
        print_json(content | {"calibrations": [calibration.as_json() for calibration in calibrations]})
        return 0
    across, down = manifest.tile_size_m
    lines = {
        "index": f"{index.folder} ({index.digest[:12]})",
        "tiles": f"{index.count:,} of {across:g} x {down:g} m",
        "bounds": f"{as_degrees(manifest.bounds.as_tuple())} (west, south, east, north)",
        "vectors": f"{index.anchors} x {index.dim} float16 a tile, {as_size(manifest.files[EMBEDDINGS].size_bytes)}",
        "encoder": f"{manifest.encoder['name']} ({manifest.encoder['digest'][:12]})",
        "search": manifest.search.kind,
        "source": f"{index.source_path} ({manifest.source['kind']}){'' if index.source else ', not on disk'}",
        "left out": f"{manifest.tiles['skipped']:,} without data, {manifest.tiles['failed']:,} unreadable",
    }
    confidences = [("confidence", line) for line in _calibration_lines(index)]
    print_lines(*(f"{name:11}{text}" for name, text in [*lines.items(), *confidences]))
    return 0


def _calibration_lines(index: TileIndex) -> list[str]:
    """How sure answers are, in a line for each kind of question."""
    from indexer.confidence.storage import read_calibrations

    try:
        calibrations = read_calibrations(index.folder, index.manifest).each
    except BadCalibration as error:
        return [f"not calibrated: {error}"]
    return [
        f"within {one.reading.here_m:g} m, fitted on {one.photos.count:,} photos with {one.conditions}; "
        f"left out while fitting, expected calibration error {one.held_out.ece:.3f}"
        for one in calibrations
    ] or ["not calibrated; see `python -m indexer calibrate --help`"]
