"""`info`: what an index folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from indexer.commands.options import AnyIndexOptions
from indexer.commands.output import as_degrees, as_size, print_json, print_lines
from indexer.common.errors import BadCalibration
from indexer.milvus.address import MilvusAddress
from model.common.counted import counted
from model.common.flags import Option, flag_of
from model.common.specs import spec

if TYPE_CHECKING:
    from indexer.confidence.calibration import Calibration
    from indexer.index.manifest import SearchRecipe
    from indexer.index.segment import Segment
    from indexer.index.tile_index import TileIndex

__all__ = ["InfoOptions", "run"]


@spec(kw_only=True)
class InfoOptions(AnyIndexOptions):
    """Which index, and in what form."""

    json: Annotated[bool, Option("print the manifest and the calibrations as one JSON object")] = False


def run(options: InfoOptions) -> int:
    """Print what an index folder or a collection holds."""
    if isinstance(options.index, MilvusAddress):
        return _print_collection(options.index, as_json=options.json)
    from indexer.confidence.storage import load_calibrations
    from indexer.index.manifest import MANIFEST
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
        "zooms": ", ".join(map(str, index.zooms)) or "none: the tiles lie off the grid",
        "bounds": f"{as_degrees(manifest.bounds.as_tuple())} (west, south, east, north)",
        "vectors": f"{index.anchors} x {index.dim} float16 a tile, {as_size(_vector_bytes(index))}",
        "encoder": f"{manifest.encoder['name']} ({manifest.encoder['digest'][:12]})",
        "search": "exact" if all(segment.exact for segment in index.segments) else "by lists where no area is given",
    }
    segments = [("segment", line) for line in map(_segment_line, index.segments)]
    confidences = [("confidence", line) for line in _calibration_lines(index)]
    print_lines(*(f"{name:11}{text}" for name, text in [*lines.items(), *segments, *confidences]))
    return 0


def _vector_bytes(index: TileIndex) -> int:
    return sum(segment.vectors.nbytes for segment in index.segments)


def _segment_line(segment: Segment) -> str:
    """Which tiles a segment holds, from where, and what is missing."""
    manifest, counts = segment.manifest, segment.manifest.tiles
    parts = [f"{counted(len(segment.live_rows), 'tile')} of {segment.source_name} ({manifest.source['kind']})"]
    if segment.date is not None:
        parts.append(f"imagery of {segment.date}")
    if said := manifest.source.get("attribution"):
        parts.append(f"which belong to {said}")
    recipe = manifest.search
    if recipe.recall:
        parts.append(
            f"{recipe.probes:,} of {recipe.lists:,} lists of {recipe.codes} visited, which finds {recipe.recall:.1%} "
            f"of the ten exact answers to {recipe.trial or 'vectors with noise'} ({_curve(recipe)})"
        )
    if recipe.asked:
        parts.append(f"built with {_flags(recipe.asked)}")
    if segment.source is None:
        parts.append("not on disk")
    if segment.removed is not None:
        parts.append(f"{int(segment.removed.sum()):,} removed or replaced")
    left_out = {"skipped": "without data", "failed": "unreadable", "equal": "with the picture of another"}
    parts += [f"{counts[name]:,} {words}" for name, words in left_out.items() if counts.get(name)]
    return ", ".join(parts)


def _flags(asked: Mapping[str, Any]) -> str:
    """What a search was asked to cost, as the command line says it."""
    return " ".join(f"{flag_of(name)} {value:.15g}" for name, value in asked.items())


def _curve(recipe: SearchRecipe) -> str:
    """The recall by the number of lists visited."""
    return ", ".join(f"{probes:,}: {recall:.1%}" for probes, recall in recipe.curve)


def _calibration_lines(index: TileIndex) -> list[str]:
    """How sure answers are, in a line for each kind of question."""
    from indexer.confidence.storage import read_calibrations

    try:
        calibrations = read_calibrations(index.folder, index.manifest).each
    except BadCalibration as error:
        return [f"not calibrated: {error}"]
    return _confidence_lines(calibrations)


def _confidence_lines(calibrations: Sequence[Calibration]) -> list[str]:
    return [
        f"within {one.reading.here_m:g} m, fitted on {one.photos.count:,} photos with {one.conditions}; "
        f"left out while fitting, expected calibration error {one.held_out.ece:.3f}"
        for one in calibrations
    ] or ["not calibrated; see `python -m indexer calibrate --help`"]


def _print_collection(address: MilvusAddress, *, as_json: bool) -> int:
    """What was published into a collection."""
    from indexer.milvus.milvus_index import MilvusIndex
    from indexer.milvus.opening import calibrations_of

    index = MilvusIndex.open(address)
    try:
        card, calibrations = index.card, calibrations_of(index).each
    finally:
        index.close()
    if as_json:
        print_json(json.loads(card.as_text()))
        return 0
    across, down = card.tile_size_m
    effort = f", with an effort of {card.search.effort}" if card.search.effort else ""
    lines = {
        "index": f"{address} ({card.digest[:12]}), published from {card.name}",
        "tiles": f"{card.count:,} of {across:g} x {down:g} m",
        "zooms": ", ".join(map(str, card.zooms)) or "none: the tiles lie off the grid",
        "bounds": f"{as_degrees(card.bounds.as_tuple())} (west, south, east, north)",
        "imagery": ", ".join(card.dates),
        "vectors": f"{len(card.anchors)} x {card.dim} float32 a tile",
        "encoder": f"{card.encoder['name']} ({card.encoder['digest'][:12]})",
        "search": f"by {card.search.kind}{effort}{_recall_text(card.recall)}",
    }
    confidences = [("confidence", line) for line in _confidence_lines(calibrations)]
    print_lines(*(f"{name:11}{text}" for name, text in [*lines.items(), *confidences]))
    return 0


def _recall_text(recall: float | None) -> str:
    return "" if recall is None else f", which finds {recall:.1%} of the ten exact answers to vectors with noise"
