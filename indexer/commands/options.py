"""What several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from model.common.flags import Option
from model.common.specs import spec

__all__ = ["IndexOptions"]


@spec(kw_only=True)
class IndexOptions:
    """Which index."""

    index: Annotated[Path, Option("an index folder", "FOLDER")]
