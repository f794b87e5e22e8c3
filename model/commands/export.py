"""`export`: a bundle's network as ONNX graphs inside the bundle, so that it runs without torch."""

from __future__ import annotations

import json
import sys
from typing import Annotated

from model.common.flags import Option
from model.common.specs import spec
from model.data.specs import DATA_HELP, CacheOptions

__all__ = ["ExportOptions", "run"]


@spec(kw_only=True)
class ExportOptions(CacheOptions):
    """Which bundle, and what the exports are checked on."""

    checkpoint: Annotated[str, Option("a bundle folder, or the name of a packaged one", "BUNDLE")]
    data: Annotated[str, Option(f"what the exports are compared with torch on: {DATA_HELP}", "DATA")] = "world:val"
    json: Annotated[bool, Option("print one JSON object")] = False


def run(options: ExportOptions) -> int:
    """Export, compare with torch, and print how near the exports come.

    Raises:
        GeoLocalizationError: something that the user can mend.
    """
    from model.data.sources import open_pairs
    from model.evaluation.publish_exports import export_bundle
    from model.network.bundle_files import bundle_digest, resolve_bundle
    from model.network.exports import EXPORT_FILES

    parity = export_bundle(options.checkpoint, open_pairs(options.data, cache=options.cache))
    folder = resolve_bundle(options.checkpoint)
    written = {name: (folder / name).stat().st_size for name in EXPORT_FILES.values()}
    if options.json:
        content = {"digest": bundle_digest(folder), "bytes": written, "parity": parity.as_json()}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
        return 0
    sizes = ", ".join(f"{name} {size / 1e3:,.0f} kB" for name, size in written.items())
    sys.stdout.write(
        f"exported into {folder}: {sizes}; the weights stay where they are\n"
        f"{parity.pictures} pictures of {parity.data}: least cosine {parity.least_cosine:.6f}, greatest difference "
        f"{parity.greatest_difference:.1e}\n"
        f"R@1 {parity.recall:.2%}, torch {parity.recall_reference:.2%}\n"
        f"the bundle is now {bundle_digest(folder)}; an index made before has to be built again\n"
    )
    return 0
