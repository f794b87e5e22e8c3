"""`info`: what a checkpoint bundle is, as JSON."""

from __future__ import annotations

import json
import sys
from typing import Annotated

from model.common.flags import Option
from model.common.specs import spec

__all__ = ["InfoOptions", "run"]


@spec(kw_only=True)
class InfoOptions:
    """Which bundle."""

    checkpoint: Annotated[str, Option("a bundle folder, or the name of a packaged one", "BUNDLE")] = "demo"


def run(options: InfoOptions) -> int:
    """Print it."""
    from dataclasses import asdict

    from model.network.checkpoints import load_bundle, resolve_bundle

    bundle = load_bundle(options.checkpoint)
    content = {
        "name": bundle.name,
        "digest": bundle.digest,
        "folder": str(resolve_bundle(options.checkpoint)),
        "model": asdict(bundle.net.spec),
        "inputs": asdict(bundle.net.inputs),
        "parameters": sum(value.numel() for value in bundle.net.parameters()),
        "provenance": bundle.provenance,
        "metrics": bundle.metrics,
    }
    sys.stdout.write(json.dumps(content, indent=2) + "\n")
    return 0
