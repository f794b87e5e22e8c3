"""Where data sets are looked for and kept: the options that commands with data sets share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from model.common.flags import Option
from model.common.specs import spec

__all__ = ["DATA_HELP", "DEFAULT_CACHE", "CacheOptions"]

DEFAULT_CACHE = Path("runs/worlds")
"""Where rendered splits of the synthetic world are kept."""

DATA_HELP = (
    "world:SPLIT (train, val, same-area, cross-area, ...; docs/world.md), BENCHMARK:SPLIT?root=DIR (docs/datasets.md), "
    "or a CSV or Parquet manifest of pairs"
)
"""How a data set is named on a command line."""


@spec(kw_only=True)
class CacheOptions:
    """Where rendered splits are kept.

    Attributes:
        cache: a folder.
    """

    cache: Annotated[Path, Option("where rendered splits of the synthetic world are kept", "FOLDER")] = DEFAULT_CACHE
