"""`python -m model evaluate`: its options, and what it does with them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.common.atomic_io import refuse_existing
from model.common.command_line import parse_count
from model.common.errors import BadConfig, MissingExtra
from model.data.sources import open_pairs
from model.evaluation.metrics import DISTRACTORS, ONE_PERCENT, TIES, Scoring

if TYPE_CHECKING:
    from model.evaluation.ground_truth import GroundTruth
    from model.evaluation.results import Evaluation

__all__ = ["add_options", "run_evaluation"]

_ASKING = ("fov_deg", "heading", "headings", "queries", "seed")
"""Options of `QueryProtocol`; they shape the embeddings, so stored ones have them already."""
_FLAGS = {"fov_deg": "--fov"}


def add_options(parser: argparse.ArgumentParser, *, data_help: str) -> None:
    """Add the command's own options; those that embed have no default here, so that `--from` can refuse them."""
    _add_asking(parser, data_help)
    _add_scoring(parser)
    output = parser.add_argument_group("what comes out")
    output.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    output.add_argument("--save", type=Path, metavar="FOLDER",
                        help="new folder for the result, and the angles and rank of every query")  # fmt: skip
    output.add_argument("--plot", type=Path, metavar="FILE.png", help="new picture of recall against k")


def _add_asking(parser: argparse.ArgumentParser, data_help: str) -> None:
    asking = parser.add_argument_group("what is embedded")
    what = asking.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", help=data_help)
    what.add_argument("--from", type=Path, dest="stored", metavar="FOLDER",
                      help="score what --store wrote again; needs neither pictures nor checkpoint")  # fmt: skip
    asking.add_argument("--checkpoint", help="bundle folder, or the name of a packaged one (default demo)")
    asking.add_argument("--anchors", type=parse_count, metavar="N",
                        help="describe each tile around N x N points (default: as the checkpoint says)")  # fmt: skip
    asking.add_argument("--store", type=Path, metavar="FOLDER", help="new folder for the embeddings, see --from")
    asking.add_argument("--store-as", choices=("float32", "float16"), dest="precision",
                        help="numbers of --store; float16 takes half the space (default float32)")  # fmt: skip
    asking.add_argument("--fov", type=float, metavar="DEG", dest="fov_deg",
                        help="cut every query to this field of view, in a drawn direction (default 360)")  # fmt: skip
    asking.add_argument("--heading", choices=("known", "unknown"),
                        help="unknown: turn every query by a drawn angle that is searched (default known)")  # fmt: skip
    asking.add_argument("--headings", type=parse_count, metavar="N",
                        help="headings tried first where it is unknown (default 24)")  # fmt: skip
    asking.add_argument("--queries", type=parse_count, metavar="N",
                        help="ask N queries, evenly spaced, of the whole gallery (default: all)")  # fmt: skip
    asking.add_argument("--seed", type=int, help="of the directions and turns drawn (default 0)")
    asking.add_argument("--batch", type=parse_count, default=64, help="pictures encoded at once (default 64)")
    asking.add_argument("--workers", type=partial(parse_count, least=0), default=0,
                        help="processes that decode (default 0: this one)")  # fmt: skip


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    scoring = parser.add_argument_group("how ranks are counted (docs/evaluation.md)")
    scoring.add_argument("--ties", choices=TIES, default=TIES[0],
                         help="where rivals with the positive's score go (default pessimistic: before it)")  # fmt: skip
    scoring.add_argument("--one-percent", choices=ONE_PERCENT, default=ONE_PERCENT[0],
                         help="how many tiles 1 %% of the gallery is (default floor)")  # fmt: skip
    scoring.add_argument("--distractors", choices=DISTRACTORS, default=DISTRACTORS[0],
                         help="drop: leave out tiles that are no query's positive (default keep)")  # fmt: skip
    scoring.add_argument("--within", type=float, nargs="+", default=[], metavar="M",
                         help="also tell recall where every tile centred within M metres is right")  # fmt: skip


def run_evaluation(arguments: argparse.Namespace) -> str:
    """Embed and score, or score again; returns what to print.

    Raises:
        GeoLocalizationError: something that the user can mend; found before the minutes that embedding takes, if it
            can be.
    """
    scoring = Scoring(
        arguments.ties, arguments.one_percent, arguments.distractors, tuple(sorted(set(arguments.within)))
    )
    _check_outputs(arguments)
    if arguments.stored is not None:
        checkpoint, truth, result = _score_stored(arguments, scoring)
    else:
        checkpoint, truth, result = _embed(arguments, scoring)
    content = {
        "checkpoint": checkpoint["name"],
        "digest": checkpoint["digest"],
        "trained_on": checkpoint["trained_on"],
        **result.as_json(),
    }
    if arguments.save is not None:
        from model.evaluation.results import save_query_results

        save_query_results(result.query_results, truth, scoring, content, arguments.save)
    if arguments.plot is not None:
        from model.common.plots import plot_recall

        arguments.plot.parent.mkdir(parents=True, exist_ok=True)
        title = f"{checkpoint['name']} on {result.data}"
        plot_recall(result.curves(), arguments.plot, title=title, protocol=result.reported_protocol)
    return json.dumps(content) if arguments.json else result.table(checkpoint["name"], checkpoint["trained_on"])


def _check_outputs(arguments: argparse.Namespace) -> None:
    _refuse_collisions(store=arguments.store, save=arguments.save, plot=arguments.plot)
    if arguments.precision is not None and arguments.store is None:
        raise BadConfig("--store-as says how to store embeddings; give --store FOLDER as well")
    if arguments.plot is None:
        return
    if arguments.plot.suffix != ".png":
        raise BadConfig(f"--plot is {arguments.plot}; give a file that ends in .png")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra("--plot needs Matplotlib; install the train extra: pip install '.[train]'") from error


def _refuse_collisions(**outputs: Path | None) -> None:
    """Refuse a path that is there already, or will be when its turn comes; they come in the order of their making."""
    wanted = {f"--{name}": path for name, path in outputs.items() if path is not None}
    for path in wanted.values():
        refuse_existing(path)
    for (first, made), (later, path) in combinations(wanted.items(), 2):
        if path.resolve() in (made.resolve(), *made.resolve().parents):
            raise BadConfig(f"{later} is {path}, which {first} {made} will have made by then; give another place")


def _score_stored(arguments: argparse.Namespace, scoring: Scoring) -> tuple[Mapping[str, Any], GroundTruth, Evaluation]:
    from model.evaluation.embeddings import open_embeddings

    fixed = ("checkpoint", "anchors", "store", "precision", *_ASKING)
    given = [_FLAGS.get(name, f"--{name}") for name in fixed if getattr(arguments, name) is not None]
    if given:
        raise BadConfig(f"{', '.join(given)} cannot be given with --from: it shapes the embeddings, and those are made")
    stored = open_embeddings(arguments.stored)
    return stored.about["checkpoint"], stored.truth, stored.evaluate(scoring)


def _embed(arguments: argparse.Namespace, scoring: Scoring) -> tuple[Mapping[str, Any], GroundTruth, Evaluation]:
    from model.evaluation.embeddings import open_embeddings
    from model.evaluation.evaluator import DualEncoder, evaluate, store
    from model.evaluation.ground_truth import GroundTruth
    from model.evaluation.protocol import QueryProtocol
    from model.evaluation.ranking import Ranker
    from model.network.encoder import Encoder

    given = {name: getattr(arguments, name) for name in _ASKING}
    protocol = QueryProtocol(**{name: value for name, value in given.items() if value is not None})
    bundle = "demo" if arguments.checkpoint is None else arguments.checkpoint
    encoder = Encoder.load(bundle, device=arguments.device, anchors=arguments.anchors)
    checkpoint = {"name": encoder.name, "digest": encoder.digest, "trained_on": encoder.trained_on}
    pairs = open_pairs(arguments.data, cache=arguments.cache)
    Ranker(truth := GroundTruth.of(pairs), scoring)  # what it refuses, it refuses before the pictures are embedded
    encoders = DualEncoder(encoder.encode_ground, encoder.encode_satellite, encoder.inputs, encoder.dim)
    options: dict[str, Any] = {"protocol": protocol, "batch": arguments.batch, "workers": arguments.workers}
    if arguments.store is None:
        return checkpoint, truth, evaluate(encoders, pairs, scoring=scoring, **options)
    store(encoders, pairs, arguments.store, checkpoint, precision=arguments.precision or "float32", **options)
    return checkpoint, truth, open_embeddings(arguments.store).evaluate(scoring)
