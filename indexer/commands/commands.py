"""The commands of `python -m indexer`: arguments in, one summary printed, an exit code out."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from indexer.building.build import BuildSummary, build_index
from indexer.building.estimate import estimate_build
from indexer.building.plan import BuildSpec, make_plan
from indexer.building.verify import verify_index
from indexer.commands.calibrate import calibrate
from indexer.common.errors import BadCalibration, BadQuery
from indexer.confidence.storage import load_calibration, read_calibration
from indexer.index.manifest import EMBEDDINGS, MANIFEST
from indexer.index.tile_index import TileIndex
from indexer.localization.geojson import match_features
from indexer.localization.localizer import Localization, Localizer, View
from indexer.localization.position import Position
from indexer.tiles.region import BoxRegion, CircleRegion, Region
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions, TileSource
from model.common.atomic_io import canonical_json, refuse_existing
from model.network.encoder import Encoder

__all__ = ["build", "calibrate", "info", "search", "verify"]


def build(args: argparse.Namespace) -> int:
    """Embed a tile source and write an index folder, or print what that would take."""
    options = SourceOptions(**{field.name: getattr(args, field.name) for field in fields(SourceOptions)})
    spec = BuildSpec(batch_size=args.batch_size, workers=args.workers)
    refuse_existing(args.out)
    with _opened(args.tiles, options) as source:
        encoder = Encoder.load(args.checkpoint, device=args.device, anchors=args.anchors)
        plan = make_plan(source, encoder, args.out.absolute(), spec)
        size = _size(plan.source_bytes) if plan.source_bytes else "cut as they are read"
        print(f"{len(plan.tiles):,} tiles from {source.path} ({source.kind}), {size}")
        for note in plan.notes:
            print(f"  {note}")
        if args.dry_run:
            estimate = estimate_build(source, encoder, plan, spec)
            print(f"  bounds (west, south, east, north): {_degrees(plan.tiles.bounds.as_tuple())}")
            print(f"  index of about {_size(estimate.index_bytes)} at {args.out}")
            print(f"  about {estimate.minutes:.1f} minutes at {estimate.tiles_per_s:.0f} tiles/s ({encoder.name})")
            return 0
        with _progress(len(plan.tiles), quiet=args.quiet) as advance:
            summary = build_index(
                source, encoder, args.out, spec=spec, plan=plan, restart=args.restart, on_progress=advance
            )
    _print_summary(summary, args)
    return 0


def search(args: argparse.Namespace) -> int:
    """Find the tiles most like a photo."""
    view = View(args.heading_deg, args.fov_deg, _region(args))
    localizer = Localizer.open(args.index, checkpoint=args.checkpoint, device=args.device)
    index, found = localizer.index, localizer.localize(args.image, view, top_k=args.top_k)
    if args.geojson:
        _print_json(match_features(found))
    elif args.json:
        _print_json(_matches(index, found))
    else:
        _print_table(index, found)
    return 0


def info(args: argparse.Namespace) -> int:
    """Print what an index folder holds."""
    index = TileIndex.open(args.index)
    manifest = index.manifest
    if args.json:
        content = json.loads((index.folder / MANIFEST).read_bytes())
        calibration = load_calibration(index.folder, manifest)
        _print_json(content | {"calibration": calibration and calibration.as_json()})
        return 0
    across, down = manifest.tile_size_m
    lines = {
        "index": f"{index.folder} ({index.digest[:12]})",
        "tiles": f"{index.count:,} of {across:g} x {down:g} m",
        "bounds": f"{_degrees(manifest.bounds.as_tuple())} (west, south, east, north)",
        "vectors": f"{index.anchors} x {index.dim} float16 a tile, {_size(manifest.files[EMBEDDINGS].size_bytes)}",
        "encoder": f"{manifest.encoder['name']} ({manifest.encoder['digest'][:12]})",
        "search": manifest.search.kind,
        "source": f"{index.source_path} ({manifest.source['kind']}){'' if index.source else ', not on disk'}",
        "left out": f"{manifest.tiles['skipped']:,} without data, {manifest.tiles['failed']:,} unreadable",
        "confidence": _calibration_line(index),
    }
    for name, text in lines.items():
        print(f"{name:11}{text}")
    return 0


def verify(args: argparse.Namespace) -> int:
    """Check an index folder against itself, its source and its encoder."""
    index = TileIndex.open(args.index, verify=True)
    encoder = Encoder.load(args.checkpoint, device=args.device, anchors=math.isqrt(index.anchors))
    report = verify_index(index, encoder, sample=args.sample)
    print(f"{index.folder}: digests, {index.count:,} tiles, {index.anchors} x {index.dim} numbers each, are right")
    if report.sampled:
        print(f"{report.sampled} tiles embedded again; least cosine similarity {report.least_similarity:.6f}")
    else:
        print(f"no tile was embedded again: {index.source_path} is not on disk")
    print(f"calibration: {'belongs to this index' if report.calibrated else 'none'}")
    return 0


@contextmanager
def _opened(text: str, options: SourceOptions) -> Iterator[TileSource]:
    source = open_source(text, options)
    try:
        yield source
    finally:
        source.close()


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Any]:
    from tqdm import tqdm

    with tqdm(total=total, unit="tile", disable=quiet or None, file=sys.stderr, smoothing=0.1) as bar:
        yield bar.update


def _region(args: argparse.Namespace) -> Region | None:
    if (args.near is None) != (args.radius_m is None):
        raise BadQuery("--near and --radius-m belong together; give both, or neither")
    if args.near is not None and args.bbox is not None:
        raise BadQuery("--near and --bbox exclude each other; give one of them")
    if args.bbox is not None:
        return BoxRegion(args.bbox)
    return None if args.near is None else CircleRegion(args.near, args.radius_m)


def _matches(index: TileIndex, found: Localization) -> dict[str, Any]:
    matches = []
    for match in found.matches:
        tile = match.tile
        place = {"lat": tile.lat, "lon": tile.lon, "bounds": list(tile.bounds.as_tuple())}
        fit = {"score": match.score, "heading_deg": match.heading_deg}
        matches.append({"rank": match.rank, "tile_id": tile.tile_id, **fit, **place, "source": tile.source})
    about = {"name": index.name, "tiles": index.count, "digest": index.digest}
    return {
        "matches": matches,
        "estimate": found.position.as_json(),
        "index": about,
        "exact": found.exact,
        "scanned": found.scanned,
        "warnings": list(found.warnings),
    }


def _print_table(index: TileIndex, found: Localization) -> None:
    print(f"{'rank':>4}  {'score':>7}  {'heading':>7}  {'lat':>11}  {'lon':>12}  tile")
    for match in _matches(index, found)["matches"]:
        place = f"{match['lat']:11.6f}  {match['lon']:12.6f}"
        print(f"{match['rank']:4}  {match['score']:7.4f}  {match['heading_deg']:7.1f}  {place}  {match['tile_id']}")
    print(f"{found.scanned:,} tiles compared, {'exact' if found.exact else 'approximate'}")
    print(_estimate_line(found.position))
    for warning in found.warnings:
        print(f"warning: {warning}")


def _estimate_line(position: Position) -> str:
    place = f"{position.centre.lat:.6f}, {position.centre.lon:.6f}"
    if position.confidence is None:
        return f"best guess {place}; how sure it is cannot be said (see docs/confidence.md)"
    return (
        f"estimate {place}: within {position.confidence_radius_m:g} m with a probability of {position.confidence:.2f}"
    )


def _calibration_line(index: TileIndex) -> str:
    try:
        calibration = read_calibration(index.folder, index.manifest)
    except BadCalibration as error:
        return f"not calibrated: {error}"
    if calibration is None:
        return "not calibrated; see `python -m indexer calibrate --help`"
    return (
        f"within {calibration.reading.here_m:g} m, fitted on {calibration.photos.count:,} photos with "
        f"{calibration.conditions}; left out while fitting, expected calibration error {calibration.held_out.ece:.3f}"
    )


def _print_summary(summary: BuildSummary, args: argparse.Namespace) -> None:
    print(f"{args.out}: {summary.embedded:,} embedded, {summary.skipped:,} skipped, {summary.failed:,} failed", end="")
    print(f"; {summary.tiles_per_s:.0f} tiles/s, {summary.seconds:.1f} s", end="")
    print(f" ({summary.resumed:,} taken over from an unfinished build)" if summary.resumed else "")
    for tile_id, reason in summary.reasons:
        print(f"  failed {tile_id}: {reason}")
    for note in summary.notes:
        if note.startswith("warning"):
            print(f"  {note}")


def _print_json(value: dict[str, Any]) -> None:
    print(canonical_json(json.loads(json.dumps(value))).decode(), end="")


def _degrees(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6f}" for value in values)


def _size(count: int) -> str:
    value, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "bytes" else f"{value:.1f} {units[0]}"
