"""`info`: what a checkpoint bundle is, as JSON."""

from __future__ import annotations

import json
import math
import sys
from typing import Annotated

from model.common.flags import Option
from model.common.specs import spec
from model.network.specs import DEFAULT_CHECKPOINT

__all__ = ["InfoOptions", "run"]


@spec(kw_only=True)
class InfoOptions:
    """Which bundle."""

    checkpoint: Annotated[str, Option("a bundle folder, or the name of a packaged one", "BUNDLE")] = DEFAULT_CHECKPOINT


def run(options: InfoOptions) -> int:
    """Print it."""
    from dataclasses import asdict

    from model.network.bundle_files import WEIGHTS, read_bundle_info, read_exports, read_tensor_table

    bundle = read_bundle_info(options.checkpoint)
    exports = read_exports(bundle.folder)
    weights = read_tensor_table(bundle.folder / WEIGHTS).values()
    content = {
        "name": bundle.name,
        "digest": bundle.digest,
        "folder": str(bundle.folder),
        "model": bundle.model,
        "inputs": asdict(bundle.inputs),
        "parameters": sum(math.prod(one.shape) for one in weights),
        "exports": None if exports is None else {name: exports.get(name) for name in ("files", "parity", "sweep")},
        "provenance": bundle.provenance,
        "metrics": bundle.metrics,
    }
    sys.stdout.write(json.dumps(content, indent=2) + "\n")
    return 0
