"""`check-data`: what is there, missing or wrong in a benchmark's folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from model.common.flags import Option
from model.common.specs import spec

__all__ = ["CheckDataOptions", "run"]


@spec(kw_only=True)
class CheckDataOptions:
    """Which benchmark, and how closely to look."""

    data: Annotated[
        str,
        Option(
            "cvusa, cvact, vigor or university, all splits or one (docs/datasets.md)",
            "BENCHMARK[:SPLIT][?OPTION=VALUE]",
            positional=True,
        ),
    ]
    root: Annotated[Path | None, Option("its folder", "FOLDER")] = None
    pictures: Annotated[int, Ge(1), Option("decode N pictures of each side of each split, evenly spaced", "N")] = 32
    png: Annotated[Path | None, Option("draw sample pairs", "FILE")] = None
    json: Annotated[bool, Option("print one JSON object instead of lines")] = False


def run(options: CheckDataOptions) -> int:
    """Print what was found; 0 if it is complete."""
    from model.common.errors import BadDataset
    from model.data.benchmarks.registry import parse_source
    from model.data.benchmarks.sheet import draw_sheet
    from model.data.benchmarks.survey import describe, survey

    source = parse_source(options.data)
    root = options.root or source.root
    if root is None:
        raise BadDataset(f"no --root given; name the folder of {source.benchmark.name}")
    found = survey(source, root, pictures=options.pictures)
    text = json.dumps(found.as_json()) if options.json else describe(found, source.benchmark)
    sys.stdout.write(f"{text}\n")
    if options.png is not None:
        draw_sheet(found.splits, source.benchmark, options.png)
    return 0 if found.complete else 1
