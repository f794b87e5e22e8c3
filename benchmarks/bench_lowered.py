"""How far below the horizon the middle of a panorama's canvas had best lie, for a network that is trained already.

    python -m benchmarks.bench_lowered --data world:val "aerial:naip/images?list=UNSEEN" --checkpoint street

Each data set's tiles are embedded once, its queries at each angle: as they are, and cut to 90 degrees of view. Writes
`results/NAME.json`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.record import write_record
from model.data.sources import open_pairs
from model.data.specs import DEFAULT_CACHE
from model.evaluation.evaluator import embed_gallery, evaluate
from model.evaluation.parity import dual_encoder
from model.evaluation.protocol import QueryProtocol
from model.network.encoder import Encoder
from model.network.specs import DEFAULT_CHECKPOINT

_PROTOCOLS = {"whole": QueryProtocol(), "90 degrees": QueryProtocol(fov_deg=90.0)}


def main() -> None:
    """Embed, ask, print a table, record it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", nargs="+", required=True, help="as `evaluate` takes it")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="of rendered splits (default: %(default)s)")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT, help="bundle folder, or the name of a packaged one")
    parser.add_argument("--anchors", type=int, help="points along each axis of a tile, in place of the checkpoint's")
    parser.add_argument("--degrees", type=float, nargs="+", default=[0, 2, 4, 6, 8, 10], help="to try")
    parser.add_argument("--workers", type=int, default=1, help="processes that render (default: %(default)s)")
    parser.add_argument("--name", default="lowered", help="of the record (default: %(default)s)")
    args = parser.parse_args()
    encoder = Encoder.load(args.checkpoint, anchors=args.anchors)
    checkpoint = {"name": encoder.name, "digest": encoder.digest, "anchors": encoder.inputs.anchors**2}
    result: dict[str, Any] = {"checkpoint": checkpoint, "recall": {}}
    for number, data in enumerate(args.data):
        found = _measure(encoder, data, args)
        result["recall"][f"{number + 1}: {found.pop('name')}"] = found
    print(write_record(args.name, result))


def _measure(encoder: Encoder, data: str, args: argparse.Namespace) -> dict[str, Any]:
    pairs = open_pairs(data, cache=args.cache, workers=args.workers)
    references = embed_gallery(dual_encoder(encoder), pairs)
    found: dict[str, Any] = {"name": pairs.name, "queries": len(pairs.queries), "tiles": len(pairs.references)}
    asked = encoder.inputs
    for degrees in args.degrees:
        encoder.inputs = replace(asked, ground_lowered_deg=degrees)
        for name, protocol in _PROTOCOLS.items():
            table = evaluate(dual_encoder(encoder), pairs, protocol=protocol, references=references).as_json()
            cell = {metric: round(table[metric], 2) for metric in ("recall@1", "recall@5")}
            found.setdefault(name, {})[f"{degrees:g}"] = cell
            print(f"{pairs.name:20} {name:12} {degrees:4g} degrees: {cell}", flush=True)
    encoder.inputs = asked
    return found


if __name__ == "__main__":
    main()
