"""`export`: a bundle's network as ONNX graphs inside the bundle, so that it runs without torch."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

from model.common.flags import Option
from model.common.specs import spec
from model.data.specs import DATA_HELP, CacheOptions

if TYPE_CHECKING:
    from model.evaluation.parity import SweepParity

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
    from model.network.exports import EXPORT_FILES, SWEEP_FILE

    published = export_bundle(options.checkpoint, open_pairs(options.data, cache=options.cache))
    parity, sweep = published.parity, published.sweep
    folder = resolve_bundle(options.checkpoint)
    files = (*EXPORT_FILES.values(), SWEEP_FILE)
    written = {name: (folder / name).stat().st_size for name in files if (folder / name).is_file()}
    if options.json:
        content: dict[str, Any] = {"digest": bundle_digest(folder), "bytes": written, "parity": parity.as_json()}
        content["sweep"] = None if sweep is None else sweep.as_json()
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
        return 0
    sizes = ", ".join(f"{name} {size / 1e3:,.0f} kB" for name, size in written.items())
    sys.stdout.write(
        f"exported into {folder}: {sizes}; the weights stay where they are\n"
        f"{parity.pictures} pictures of {parity.data}: least cosine {parity.least_cosine:.6f}, greatest difference "
        f"{parity.greatest_difference:.1e}\n"
        f"R@1 {parity.recall:.2f} %, torch {parity.recall_reference:.2f} %\n"
        f"{_told(sweep)}\n"
        f"the bundle is now {bundle_digest(folder)}; an index made before has to be built again\n"
    )
    return 0


def _told(sweep: SweepParity | None) -> str:
    if sweep is None:
        return "all headings at once: this network cannot; an unknown heading takes a pass for each one tried"
    kept = "kept" if sweep.passes else "left out; an unknown heading takes a pass for each one tried"
    return (
        f"unknown headings: R@1 {sweep.recall_at_once:.2f} % with all headings at once, {sweep.recall_each:.2f} % "
        f"with each on its own: {kept}"
    )
