"""`render pairs` and `render region`: the synthetic world as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from model.common.flags import Option
from model.common.specs import spec
from model.synthetic.specs import Region

__all__ = ["PairsOptions", "RegionOptions", "render_pairs", "render_tile_region"]


@spec(kw_only=True)
class _RenderOptions:
    """How to render."""

    workers: Annotated[int, Ge(1), Option("processes that render", "N")] = 2


@spec(kw_only=True)
class PairsOptions(_RenderOptions):
    """Which split, and where to."""

    data: Annotated[str, Option("which split", "world:SPLIT")]
    out: Annotated[Path, Option("new folder", "FOLDER")]


@spec(kw_only=True)
class RegionOptions(_RenderOptions):
    """Which region, and where to."""

    region: Region = Region()
    out: Annotated[Path, Option("new folder; gets tiles/, panoramas/, pairs.csv", "FOLDER")]


def render_pairs(options: PairsOptions) -> int:
    """A split of the world as pictures and a manifest `pairs.csv`."""
    from model.common.progress import progress
    from model.synthetic.pair_set import render_split
    from model.synthetic.splits import find_split

    split, manifest = find_split(options.data.removeprefix("world:"))
    with progress(split.places, "rendering", unit="pairs") as bar:
        render_split(split, options.out, workers=options.workers, progress=lambda done, _: bar.update(done - bar.n))
    sys.stdout.write(f"rendered {split.places} synthetic pairs: {options.out / manifest}\n")
    return 0


def render_tile_region(options: RegionOptions) -> int:
    """An XYZ tile folder (`z/x/y.jpg`) and panoramas at known places."""
    from model.common.progress import progress
    from model.synthetic.tile_region import render_region

    region = options.region
    with progress(region.tiles, "rendering", unit="tiles") as bar:
        taken = render_region(region, options.out, workers=options.workers, progress=bar.update)
    if taken < region.wanted:
        aside = f", {max(taken - region.panoramas, 0)} of them to calibrate with" if region.calibration else ""
        sys.stderr.write(
            f"warning: {taken} of {region.wanted} panoramas could be taken{aside}: too few of the {region.tiles} tiles "
            "have a place to stand in their middle; give a larger --side\n"
        )
    sys.stdout.write(f"rendered {region.tiles} synthetic tiles and {taken} panoramas: {options.out}\n")
    return 0
