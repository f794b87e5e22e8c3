"""`average`: the mean of the weights of several bundles of one network, as a bundle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from model.common.flags import Option
from model.common.specs import spec

__all__ = ["AverageOptions", "run"]


@spec(kw_only=True)
class AverageOptions:
    """Which bundles, and where to."""

    checkpoint: Annotated[
        tuple[str, ...],
        Option("bundle to average: two or more, or one with --lowered-deg (repeat it)", "BUNDLE", repeat=True),
    ]
    shares: Annotated[
        tuple[float, ...], Option("how much each counts, in their order, as 1 2 (default: all the same)", "SHARE")
    ] = ()
    lowered_deg: Annotated[
        float | None,
        Option(
            "let the mean look down: the middle of its view of a panorama, so far below the horizon, 0 to 45 "
            "(default: as the first)",
            "DEG",
        ),
    ] = None
    out: Annotated[Path, Option("new bundle", "FOLDER")]
    name: Annotated[str | None, Option("of the new bundle (default: as the first is called)", "NAME")] = None


def run(options: AverageOptions) -> int:
    """Average and write; what it is worth, `evaluate` says.

    Raises:
        GeoLocalizationError: something that the user can mend.
    """
    from model.network.averaging import average_bundles
    from model.network.checkpoints import save_bundle

    first, provenance = average_bundles(options.checkpoint, options.shares, lowered_deg=options.lowered_deg)
    save_bundle(options.out, first.net, name=options.name or first.name, provenance=provenance, metrics={})
    count = len(options.checkpoint)
    sys.stdout.write(
        f"averaged {count} bundle{'s' * (count > 1)}: {options.out}; nothing is measured of it yet, and it is not "
        "exported: see `evaluate` and `export`\n"
    )
    return 0
