"""`python -m model train | evaluate | render | check-data | import | average | export | info`, or `clnet-model`."""

from __future__ import annotations

from clnet_geolocalization import own_first

own_first()

import logging
import sys
from collections.abc import Sequence

from model.common.command_line import Command, Commands, run_command

__all__ = ["main"]

_COMMANDS: Commands = {
    "train": Command("train a network, or go on where a run was stopped", "model.commands.train:run", "TrainOptions"),
    "evaluate": Command(
        "measure recall of a checkpoint on a data set", "model.commands.evaluate:run", "EvaluateOptions"
    ),
    "render": (
        "render the synthetic world: a data set of pairs, or a tile region",
        {
            "pairs": Command(
                "a split of the world as pictures and a manifest pairs.csv",
                "model.commands.render:render_pairs",
                "PairsOptions",
            ),
            "region": Command(
                "an XYZ tile folder (z/x/y.jpg) and panoramas at known places",
                "model.commands.render:render_tile_region",
                "RegionOptions",
            ),
        },
    ),
    "check-data": Command(
        "say what is there, missing or wrong in a benchmark's folder",
        "model.commands.check_data:run",
        "CheckDataOptions",
    ),
    "import": (
        "turn a checkpoint that others published into a bundle",
        {
            "sample4geo": Command(
                "what Sample4Geo's authors publish, or their code has trained",
                "model.commands.import_checkpoint:import_published",
                "Sample4GeoOptions",
            )
        },
    ),
    "average": Command(
        "average the weights of several bundles of one network", "model.commands.average:run", "AverageOptions"
    ),
    "export": Command(
        "write a bundle's network as ONNX into the bundle, so that it runs without torch",
        "model.commands.export:run",
        "ExportOptions",
    ),
    "info": Command("show what a checkpoint bundle is", "model.commands.info:run", "InfoOptions"),
}
_EXAMPLES = """examples:
  {prog} render region --out region --side 16 --panoramas 8
  {prog} train --out runs/mine --config configs/smoke.json
  {prog} evaluate --checkpoint demo --data world:cross-area --queries 500
  {prog} check-data vigor --root VIGOR
  {prog} info --checkpoint demo"""


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m model") -> int:
    """Parse, then import what the command needs, then run it; 0 when it worked, 1 when not, 2 for wrong arguments."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run_command(
        _COMMANDS,
        sys.argv[1:] if argv is None else argv,
        prog=prog,
        description="Train, evaluate and inspect the encoders.",
        epilog=_EXAMPLES.format(prog=prog),
    )


if __name__ == "__main__":
    sys.exit(main())
