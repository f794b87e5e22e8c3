"""What fine-tuning on photos of a city brings, by their number: the whole way of docs/your-city.md.

    python -m model render region --seed 240 --side 26 --panoramas 500 --out REGION
    python -m benchmarks.bench_city --region REGION --work FOLDER --photos 50 200

The region belongs to a world that no shipped network was trained on. It is written as a stranger's folder
(`benchmarks.stranger`), made into pairs, and a network (`--init`) goes on from there with so many of the photos. Tested
on the area that was held out, and on `world:val-wide` for what was forgotten. Writes `results/NAME.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import write_record
from benchmarks.stranger import write_stranger
from indexer.pairs.folder import write_pairs
from indexer.pairs.photos import find_photos
from indexer.pairs.specs import PairsSpec
from indexer.tiles.sources.open_source import open_source
from model.common.manifest_rows import ManifestRow, write_manifest
from model.data.manifest import read_manifest
from model.data.pairs import PairSet
from model.data.sources import open_pairs
from model.evaluation.evaluator import DualEncoder, evaluate
from model.inputs.photo_view import GivenView
from model.network.encoder import Encoder
from model.training.config import load_run
from model.training.fine_tuning import fine_tuning_tree
from model.training.trainer import train

__all__ = ["measure", "take_photos"]

_KEPT = ("recall@1", "recall@5", "median_rank", "distance_m_median", "queries", "gallery")


def measure(checkpoint: str | Path, sets: dict[str, PairSet]) -> dict[str, dict[str, Any]]:
    """Recall and median error of a checkpoint on some data sets."""
    encoder = Encoder.load(str(checkpoint), device="cpu", engine="torch")  # as tuned bundles have no exports
    both = DualEncoder(encoder.encode_ground, encoder.encode_satellite, encoder.inputs, encoder.dim)
    tables = {name: evaluate(both, pairs).as_json() for name, pairs in sets.items()}
    return {name: {key: table.get(key) for key in _KEPT} for name, table in tables.items()}


def take_photos(pairs: Path, count: int, out: Path) -> int:
    """A folder of pairs with so many of another's training photos, drawn at random; returns how many there are.

    One that is there already is what a run before has made.
    """
    train_set = read_manifest(pairs / "train.csv")
    chosen = np.random.default_rng(0).permutation(len(train_set.queries))[:count]
    out.mkdir(parents=True, exist_ok=True)
    kept = {int(train_set.positives[row]) for row in chosen}
    rows = []
    for row in sorted(chosen.tolist()):
        query, tile = train_set.queries[row], train_set.references[train_set.positives[row]]
        assert query.location is not None
        others = [one for one in (train_set.semi_positives[row] if train_set.semi_positives else ()) if one in kept]
        rows.append(
            ManifestRow(
                str(query.path.absolute()), str(tile.path.absolute()), query.location.lat, query.location.lon,
                query.location.lat, query.location.lon, query.heading_deg, query.fov_deg, query.vertical_deg,
                tile.margin, ";".join(str(train_set.references[one].path.absolute()) for one in others),
            )
        )  # fmt: skip
    write_manifest(out / "train.csv", rows)
    val = read_manifest(pairs / "val.csv")
    _copy_manifest(pairs / "val.csv", out / "val.csv", val)
    return len(rows)


def _copy_manifest(source: Path, target: Path, pairs: PairSet) -> None:
    """The same rows with absolute paths; their folder is where the manifest was."""
    text = source.read_text()
    for name in {path.parent.name for path in (*(one.path for one in pairs.references), pairs.queries[0].path)}:
        text = text.replace(f"{name}/", f"{source.parent.absolute()}/{name}/")
    target.write_text(text)


def _tuned(init: str, count: int, folder: Path, pairs: Path, settings: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    """A bundle fine-tuned on so many photos, and how that went."""
    taken = take_photos(pairs, count, folder / f"pairs-{count}")
    run = load_run(None, settings, base=fine_tuning_tree(init, folder / f"pairs-{count}"))
    learn, watch = (open_pairs(source) for source in (run.data.train, run.data.val))
    replay = open_pairs(run.data.replay) if run.data.replay else None
    bundle = train(run, learn, watch, folder / f"run-{count}", replay=replay, device="cpu")
    provenance = json.loads((bundle / "spec.json").read_text())["provenance"]
    about = {
        "photos": taken,
        "batch": run.optim.batch,
        "best_step": provenance["steps"],
        "steps": run.optim.steps,
        "seconds": provenance["seconds"],  # of all steps, those before a kill too
    }
    return bundle, about


def main() -> int:
    """Make the city once, then tune and measure for each number of photos; the record grows after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--region", type=Path, required=True, help="folder of `python -m model render region`")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is made on the way")
    parser.add_argument("--init", default="street", help="the bundle to go on from (default: %(default)s)")
    parser.add_argument("--photos", type=int, nargs="+", default=[50, 200, 1000], help="numbers of training photos")
    parser.add_argument("--world", default="world:val-wide", help="what must not be forgotten; empty: nothing")
    parser.add_argument("--set", dest="settings", action="append", default=[], help="settings of training, KEY=VALUE")
    parser.add_argument("--name", default="city", help="of the record (default: %(default)s)")
    args = parser.parse_args()
    pairs = args.work / "pairs"
    if not pairs.exists():
        stranger = args.work / "stranger"
        if not stranger.exists():
            write_stranger(args.region, stranger)
        photos = find_photos(stranger / "photos", GivenView())
        summary = write_pairs(photos, [open_source(stranger / "tiles")], pairs, PairsSpec())
        print(f"pairs: {summary.photos}, left out {summary.reasons}")
    sets = {"city": read_manifest(pairs / "test.csv")} | ({"world": open_pairs(args.world)} if args.world else {})
    note = json.loads((pairs / "pairs.json").read_text())
    result: dict[str, Any] = {"pairs": {key: note[key] for key in ("photos", "tiles", "left_out", "tile_m")}}
    result["init"] = args.init
    result["settings"], result["before"], result["after"] = args.settings, measure(args.init, sets), []
    print(json.dumps(result["before"]))
    for count in args.photos:
        bundle, about = _tuned(args.init, count, args.work, pairs, args.settings)
        result["after"].append({**about, **measure(bundle, sets)})
        print(json.dumps(result["after"][-1]))
        print(write_record(args.name, result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
