"""`import sample4geo`: a checkpoint that others published, as a bundle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from model.common.flags import Option
from model.common.specs import spec

__all__ = ["Sample4GeoOptions", "import_published"]


@spec(kw_only=True)
class Sample4GeoOptions:
    """What to import, and as what."""

    weights: Annotated[Path, Option("the .pth file, or the same tensors as .safetensors", "WEIGHTS", positional=True)]
    benchmark: Annotated[
        str, Option("cvusa, cvact, vigor-same, vigor-cross or university; decides the input sizes", "NAME")
    ]
    out: Annotated[Path, Option("new folder, the bundle", "FOLDER")]
    backbone: Annotated[str | None, Option("timm's name of the ConvNeXt inside (default: that of the paper)")] = None
    name: Annotated[str | None, Option("name of the bundle (default: sample4geo-BENCHMARK)")] = None


def import_published(options: Sample4GeoOptions) -> int:
    """Write the bundle."""
    from model.network.import_sample4geo import SAMPLE4GEO_BACKBONE, import_sample4geo

    backbone = options.backbone or SAMPLE4GEO_BACKBONE
    import_sample4geo(options.weights, options.benchmark, options.out, backbone=backbone, name=options.name)
    sys.stdout.write(f"imported: {options.out}\n")
    return 0
