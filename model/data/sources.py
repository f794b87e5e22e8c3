"""Data sets by name: `world:SPLIT`, or the path of a manifest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from model.data.manifest import read_manifest
from model.data.pairs import PairSet

__all__ = ["DEFAULT_CACHE", "open_pairs"]

DEFAULT_CACHE = Path("runs/worlds")
"""Where rendered splits of the world are kept."""


def open_pairs(text: str, *, cache: Path = DEFAULT_CACHE, workers: int = 2) -> PairSet:
    """Open a data set; a split of the world is rendered below `cache` the first time.

    Args:
        text: `world:SPLIT`, or the path of a CSV or Parquet manifest (see `model.data.manifest`).
        cache: folder for rendered splits.
        workers: processes that render.

    Raises:
        BadDataset: no such split or manifest, or a manifest that is wrong.
    """
    if not text.startswith("world:"):
        return read_manifest(Path(text))
    from model.world.pairs import ensure_split
    from model.world.splits import find_split

    split, manifest = find_split(text.removeprefix("world:"))
    with tqdm(total=split.places, desc=f"rendering {text}", unit="pair", leave=False, disable=None) as bar:
        folder = ensure_split(split, cache, workers=workers, progress=lambda done, _: bar.update(done - bar.n))
    return replace(read_manifest(folder / manifest), name=text)
