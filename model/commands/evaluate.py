"""`evaluate`: recall of a checkpoint on a data set, or of embeddings that were stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge

from model.common.atomic_io import refuse_existing
from model.common.errors import BadConfig
from model.common.flags import Group, Option
from model.common.specs import spec
from model.data.specs import DATA_HELP, CacheOptions
from model.evaluation.metrics import Scoring
from model.evaluation.protocol import QueryProtocol
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from model.evaluation.ground_truth import GroundTruth
    from model.evaluation.results import Evaluation

__all__ = ["EvaluateOptions", "run"]

_SHAPING = (
    *("--checkpoint", "--anchors", "--store", "--store-as"),
    *("--fov-deg", "--heading-deg", "--headings", "--queries", "--seed"),
)
"""They shape the embeddings, so stored ones have them already."""


@spec(kw_only=True)
class EmbedOptions(CacheOptions, EncoderOptions):
    """What is embedded, and how."""

    data: Annotated[str | None, Option(DATA_HELP, "DATA")] = None
    stored: Annotated[
        Path | None,
        Option("score what --store wrote again; needs neither pictures nor checkpoint", "FOLDER", flag="--from"),
    ] = None
    anchors: Annotated[
        int | None, Ge(1), Option("describe each tile around N x N points (default: as the checkpoint says)", "N")
    ] = None
    protocol: QueryProtocol = QueryProtocol()
    batch_size: Annotated[int, Ge(1), Option("pictures encoded at once", "N")] = 64
    workers: Annotated[int, Ge(0), Option("threads that decode ahead; 0: none", "N")] = 0
    store: Annotated[Path | None, Option("new folder for the embeddings, see --from", "FOLDER")] = None
    precision: Annotated[
        Literal["float32", "float16"] | None,
        Option("numbers of --store; float16 takes half the space (default: float32)", flag="--store-as"),
    ] = None


@spec(kw_only=True)
class OutputOptions:
    """What comes out."""

    json: Annotated[bool, Option("print one JSON object instead of a table")] = False
    save: Annotated[
        Path | None, Option("new folder for the result, and the angles and rank of every query", "FOLDER")
    ] = None
    plot: Annotated[Path | None, Option("new picture of recall against k", "FILE.png")] = None


@spec(kw_only=True)
class EvaluateOptions:
    """What is embedded, how ranks are counted, and what comes out."""

    embed: Annotated[EmbedOptions, Group("what is embedded")] = EmbedOptions()
    scoring: Annotated[Scoring, Group("how ranks are counted (docs/evaluation.md)")] = Scoring()
    output: Annotated[OutputOptions, Group("what comes out")] = OutputOptions()
    given: tuple[str, ...] = ()

    def check_together(self) -> None:
        """One source of embeddings, and outputs that do not collide."""
        if (self.embed.data is None) == (self.embed.stored is None):
            raise BadConfig("give either --data, a data set to embed, or --from, a folder of stored embeddings")
        shaping = [name for name in self.given if name in _SHAPING]
        if self.embed.stored is not None and shaping:
            raise BadConfig(
                f"{', '.join(shaping)} cannot be given with --from: it shapes the embeddings, and those are made"
            )
        if self.embed.precision is not None and self.embed.store is None:
            raise BadConfig("--store-as says how to store embeddings; give --store FOLDER as well")
        if self.output.plot is not None and self.output.plot.suffix != ".png":
            raise BadConfig(f"--plot is {self.output.plot}; give a file that ends in .png")


def run(options: EvaluateOptions) -> int:
    """Embed and score, or score again, and print the result.

    Raises:
        GeoLocalizationError: something that the user can mend; found before the minutes that embedding takes, if it
            can be.
    """
    embed, scoring, output = options.embed, options.scoring, options.output
    _refuse_collisions(store=embed.store, save=output.save, plot=output.plot)
    if output.plot is not None:
        from model.common.pyplot import import_pyplot

        import_pyplot("--plot")
    if embed.stored is not None:
        checkpoint, truth, result = _score_stored(embed.stored, scoring)
    else:
        checkpoint, truth, result = _embed(embed, scoring)
    content = {
        "checkpoint": checkpoint["name"],
        "digest": checkpoint["digest"],
        "trained_on": checkpoint["trained_on"],
        **result.as_json(),
    }
    if output.save is not None:
        from model.evaluation.results import save_query_results

        save_query_results(result.query_results, truth, scoring, content, output.save)
    if output.plot is not None:
        from model.common.plots import plot_recall

        output.plot.parent.mkdir(parents=True, exist_ok=True)
        title = f"{checkpoint['name']} on {result.data}"
        plot_recall(result.curves(), output.plot, title=title, protocol=result.reported_protocol)
    text = json.dumps(content) if output.json else result.table(checkpoint["name"], checkpoint["trained_on"])
    sys.stdout.write(f"{text}\n")
    return 0


def _refuse_collisions(**outputs: Path | None) -> None:
    """Refuse a path that is there already, or will be when its turn comes; they come in the order of their making."""
    wanted = {f"--{name}": path for name, path in outputs.items() if path is not None}
    for path in wanted.values():
        refuse_existing(path)
    for (first, made), (later, path) in combinations(wanted.items(), 2):
        if path.resolve() in (made.resolve(), *made.resolve().parents):
            raise BadConfig(f"{later} is {path}, which {first} {made} will have made by then; give another place")


def _score_stored(folder: Path, scoring: Scoring) -> tuple[Mapping[str, Any], GroundTruth, Evaluation]:
    from model.evaluation.embeddings import open_embeddings

    stored = open_embeddings(folder)
    return stored.about["checkpoint"], stored.truth, stored.evaluate(scoring)


def _embed(options: EmbedOptions, scoring: Scoring) -> tuple[Mapping[str, Any], GroundTruth, Evaluation]:
    from model.data.sources import open_pairs
    from model.evaluation.embeddings import open_embeddings
    from model.evaluation.evaluator import evaluate, store
    from model.evaluation.ground_truth import GroundTruth
    from model.evaluation.parity import dual_encoder
    from model.evaluation.ranking import Ranker
    from model.network.encoder import Encoder

    encoder = Encoder.load(options.checkpoint, device=options.device, engine=options.engine, anchors=options.anchors)
    checkpoint = {"name": encoder.name, "digest": encoder.digest, "trained_on": encoder.trained_on}
    pairs = open_pairs(str(options.data), cache=options.cache)
    Ranker(truth := GroundTruth.of(pairs), scoring)  # what it refuses, it refuses before the pictures are embedded
    encoders = dual_encoder(encoder)
    how: dict[str, Any] = {"protocol": options.protocol, "batch": options.batch_size, "workers": options.workers}
    if options.store is None:
        return checkpoint, truth, evaluate(encoders, pairs, scoring=scoring, **how)
    store(encoders, pairs, options.store, checkpoint, precision=options.precision or "float32", **how)
    return checkpoint, truth, open_embeddings(options.store).evaluate(scoring)
