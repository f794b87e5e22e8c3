"""Data sets by name: `world:SPLIT`, `aerial:FOLDER`, `BENCHMARK:SPLIT?root=DIR`, the path of a manifest; or several."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from model.common.errors import BadDataset
from model.common.progress import progress
from model.data.benchmarks.registry import BENCHMARKS, names_benchmark, open_benchmark
from model.data.joined import join_pairs
from model.data.manifest import Photos, read_manifest, read_photos
from model.data.pairs import PairSet
from model.data.source_options import source_options
from model.data.specs import DEFAULT_CACHE

__all__ = ["DEFAULT_CACHE", "open_pairs", "open_photos"]

_AERIAL = "aerial:"
_AND = " + "
_MOST_CAMERAS = 100


def open_pairs(text: str, *, cache: Path = DEFAULT_CACHE, workers: int = 2) -> PairSet:
    """Open a data set; a split of the world is rendered below `cache` the first time.

    Args:
        text: `world:SPLIT`; `aerial:FOLDER`, with `?list=FILE` and `?cameras=N` (see `model.synthetic.aerial_pairs`);
            a benchmark (see `model.data.benchmarks.registry`); or the path of a CSV or Parquet manifest (see
            `model.data.manifest`). Several are joined by ` + `.
        cache: folder for rendered splits.
        workers: processes that render.

    Raises:
        BadDataset: no such split, benchmark or manifest, or one that is wrong.
    """
    if _AND in text:
        parts = [part.strip() for part in text.split(_AND)]
        # What has to be rendered comes last: a folder that is not there is told at once, not an hour later.
        order = sorted(parts, key=lambda part: part.startswith("world:"))
        opened = {part: open_pairs(part, cache=cache, workers=workers) for part in order}
        return join_pairs([opened[part] for part in parts])
    if text.startswith(_AERIAL):
        return _aerial(text, cache, workers)
    if names_benchmark(text):
        return open_benchmark(text)
    if not text.startswith("world:"):
        return read_manifest(_manifest(text))
    from model.synthetic.pair_set import ensure_split
    from model.synthetic.splits import find_split

    split, manifest = find_split(text.removeprefix("world:"))
    with progress(split.places, f"rendering {text}", unit="pairs") as bar:
        folder = ensure_split(split, cache, workers=workers, progress=lambda done, _: bar.update(done - bar.n))
    return replace(read_manifest(folder / manifest), name=text)


def _aerial(text: str, cache: Path, workers: int) -> PairSet:
    from model.synthetic.aerial_pairs import CAMERAS, ensure_aerial, find_places

    folder, _, tail = text.removeprefix(_AERIAL).partition("?")
    options = source_options(text, tail, ("list", "cameras"))
    if not Path(folder).is_dir():
        raise BadDataset(f"{text!r} names the folder {folder!r}, which is not there; give a folder of aerial photos")
    listed = Path(options["list"]) if "list" in options else None
    cameras = _count(text, options["cameras"]) if "cameras" in options else CAMERAS
    places = len(find_places(Path(folder), listed))
    with progress(places, f"rendering {_AERIAL}{Path(folder).name}", unit="places") as bar:
        out = ensure_aerial(
            Path(folder),
            cache,
            names=listed,
            cameras=cameras,
            workers=workers,
            progress=lambda done, _: bar.update(done - bar.n),
        )
    return replace(read_manifest(out / "pairs.csv"), name=f"{_AERIAL}{Path(folder).name}")


def _count(text: str, cameras: str) -> int:
    if not cameras.isdecimal() or not 1 <= int(cameras) <= _MOST_CAMERAS:
        raise BadDataset(f"{text}: cameras is {cameras!r}; give 1 to {_MOST_CAMERAS} panoramas of a place")
    return int(cameras)


def open_photos(text: str, *, cache: Path = DEFAULT_CACHE) -> Photos:
    """The photos of a data set; a manifest need not name what they are paired with.

    Args:
        text: as `open_pairs` takes it.
        cache: folder for rendered splits.

    Raises:
        BadDataset: no such split, benchmark or manifest, or one that is wrong.
    """
    if text.startswith("world:") or names_benchmark(text):
        pairs = open_pairs(text, cache=cache)
        return Photos(pairs.name, pairs.queries, (True,) * len(pairs.queries))
    return read_photos(_manifest(text))


def _manifest(text: str) -> Path:
    if re.match(r"[\w-]{2,}:", text) and not Path(text).is_file():  # one letter is a drive
        raise BadDataset(f"there is no data set {text!r}; known are world, {', '.join(BENCHMARKS)}, or give a manifest")
    return Path(text)
