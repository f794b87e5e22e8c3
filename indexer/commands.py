"""The commands of `python -m indexer`: arguments in, one summary printed, an exit code out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.build import BuildSummary, build_index
from indexer.calibrate_command import calibrate
from indexer.calibration import read_calibration
from indexer.encoding import QueryEncoder
from indexer.errors import BadCalibration, BadQuery
from indexer.estimate import estimate_build
from indexer.folder import TileIndex
from indexer.geojson import match_features
from indexer.manifest import MANIFEST
from indexer.plan import BuildSpec, make_plan
from indexer.region import BoxRegion, CircleRegion, Region
from indexer.search import SearchResult
from indexer.sources.base import SourceOptions, TileSource
from indexer.sources.opening import open_source
from indexer.verify import verify_index
from model.artefact import canonical_json
from model.encoder import Encoder
from model.errors import OutputExists
from model.images import decode_image
from model.transforms import lay_panorama

__all__ = ["build", "calibrate", "info", "search", "verify"]


def build(args: argparse.Namespace) -> int:
    """Embed a tile source and write an index folder, or print what that would take."""
    options = SourceOptions(**{field.name: getattr(args, field.name) for field in fields(SourceOptions)})
    spec = BuildSpec(batch_size=args.batch_size, workers=args.workers)
    if args.out.exists():
        raise OutputExists(f"{args.out} exists already; choose another output folder, or remove it first")
    with _opened(args.tiles, options) as source:
        encoder = Encoder.load(args.checkpoint, device=args.device)
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
    region = _region(args)
    index = TileIndex.open(args.index)
    encoder = Encoder.load(args.checkpoint, device=args.device)
    index.require_encoder(encoder)
    result = index.search(_embed_photo(args, encoder), top_k=args.top_k, region=region)[0]
    if not len(result.rows):
        raise BadQuery(
            f"none of the {index.count:,} tiles of {args.index} touches the given area; widen it, or leave it out "
            "(are latitude and longitude swapped?)"
        )
    if args.geojson:
        _print_json(match_features(index, result))
    elif args.json:
        _print_json(_matches(index, result))
    else:
        _print_table(index, result)
    return 0


def info(args: argparse.Namespace) -> int:
    """Print what an index folder holds."""
    index = TileIndex.open(args.index)
    manifest = index.manifest
    if args.json:
        content = json.loads((index.folder / MANIFEST).read_bytes())
        _print_json(content | {"calibration": index.calibration and index.calibration.as_json()})
        return 0
    across, down = manifest.tile_size_m
    lines = {
        "index": f"{index.folder} ({index.digest[:12]})",
        "tiles": f"{index.count:,} of {across:g} x {down:g} m",
        "bounds": f"{_degrees(manifest.bounds.as_tuple())} (west, south, east, north)",
        "vectors": f"{index.dim} numbers each, float16, {_size(manifest.files['embeddings.npy'].size_bytes)}",
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
    encoder = Encoder.load(args.checkpoint, device=args.device)
    report = verify_index(index, encoder, sample=args.sample)
    print(f"{index.folder}: digests, {index.count:,} rows and dimension {index.dim} are right")
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

    with tqdm(total=total, unit="tile", disable=quiet, file=sys.stderr, smoothing=0.1) as bar:
        yield bar.update


def _region(args: argparse.Namespace) -> Region | None:
    if (args.near is None) != (args.radius_m is None):
        raise BadQuery("--near and --radius-m belong together; give both, or neither")
    if args.near is not None and args.bbox is not None:
        raise BadQuery("--near and --bbox exclude each other; give one of them")
    if args.bbox is not None:
        return BoxRegion(args.bbox)
    return None if args.near is None else CircleRegion(args.near, args.radius_m)


def _embed_photo(args: argparse.Namespace, encoder: QueryEncoder) -> NDArray[np.float32]:
    photo = decode_image(args.image, at_least_px=encoder.inputs.ground_decode_px)
    canvas = lay_panorama(photo, encoder.inputs, heading_deg=args.heading_deg, fov_deg=args.fov_deg)
    return encoder.encode_ground(canvas[None])


def _matches(index: TileIndex, result: SearchResult) -> dict[str, Any]:
    matches = []
    for rank, (row, score) in enumerate(zip(result.rows.tolist(), result.scores.tolist(), strict=True), start=1):
        tile = index.tile(row)
        place = {"lat": tile.lat, "lon": tile.lon, "bounds": list(tile.bounds.as_tuple())}
        matches.append({"rank": rank, "tile_id": tile.tile_id, "score": score, **place, "source": tile.source})
    about = {"name": index.name, "tiles": index.count, "digest": index.digest}
    return {"matches": matches, "index": about, "exact": result.exact, "scanned": result.scanned}


def _print_table(index: TileIndex, result: SearchResult) -> None:
    print(f"{'rank':>4}  {'score':>7}  {'lat':>11}  {'lon':>12}  tile")
    for match in _matches(index, result)["matches"]:
        place = f"{match['lat']:11.6f}  {match['lon']:12.6f}"
        print(f"{match['rank']:4}  {match['score']:7.4f}  {place}  {match['tile_id']}")
    print(f"{result.scanned:,} tiles compared, {'exact' if result.exact else 'approximate'}")


def _calibration_line(index: TileIndex) -> str:
    try:
        calibration = read_calibration(index.folder, index.manifest)
    except BadCalibration as error:
        return f"not calibrated: {error}"
    if calibration is None:
        return "not calibrated; see `python -m indexer calibrate --help`"
    held_out, photos = calibration.held_out, calibration.photos["count"]
    return (
        f"within {calibration.reading.here_m:g} m, fitted on {photos:,} photos with {calibration.conditions}; "
        f"left out while fitting, expected calibration error {held_out['ece']:.3f}"
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
