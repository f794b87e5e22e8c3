"""Changes that are killed (SIGKILL) before each thing that they do to the disk, or before some of them.

    python -m tests.indexer.lifecycle.crashing --points 50

After every kill the index must be what it was or what it was to be, whole, and the same change made again must lead
there and leave nothing behind. Prints one JSON object: kills, and how often the change was there already.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from indexer.building.build import build_index
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.merge import merge_indexes
from indexer.lifecycle.split import split_index
from indexer.tiles.region import BoxRegion
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, add, compact, content, name_of, put_tile, remove, update
from tests.indexer.tiny import build_tiny

_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link"}
_WRITES = os.O_WRONLY | os.O_RDWR


def prepare(root: Path) -> None:
    """An index of two sources and three segments with a tile removed, a source that has changed, and another index."""
    build_tiny(root, 5, 4).close()
    put_tile(root / "more", 8, 0, 60)
    add(root / "index", root / "more")
    put_tile(root / "more", 8, 1, 61)
    add(root / "index", root / "more")
    remove(root / "index", ids=(name_of(4, 3),))
    put_tile(root / "tiles", 0, 0, 70)
    put_tile(root / "tiles", 4, 3, 71).unlink()
    for row in range(20):
        put_tile(root / "new", 10, row, 80 + row)
    build_index(open_source(root / "new"), FakeEncoder(), root / "other", spec=SPEC)


def build(root: Path) -> None:
    build_index(open_source(root / "new"), FakeEncoder(), root / "made", spec=SPEC)


def merge(root: Path) -> None:
    indexes = [TileIndex.open(root / name, verify=True) for name in ("index", "other")]
    merge_indexes(indexes, root / "made")


def split(root: Path) -> None:
    index = TileIndex.open(root / "index", verify=True)
    split_index(index, BoxRegion(index.manifest.bounds), root / "made")


CHANGES: dict[str, Callable[[Path], object]] = {
    "build": build,
    "add": lambda root: add(root / "index", root / "new"),
    "update": lambda root: update(root / "index"),
    "remove": lambda root: remove(root / "index", ids=(name_of(0, 1), name_of(8, 0))),
    "compact": lambda root: compact(root / "index"),
    "merge": merge,
    "split": split,
}


def main() -> None:
    """Kill, look, repeat."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--points", type=int, default=50, help="kills of each change (default 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of moments (default 0)")
    parser.add_argument("--only", choices=CHANGES, help="one change")
    args = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        template = Path(scratch) / "template"
        prepare(template)
        for name in [args.only] if args.only else CHANGES:
            found[name] = crash(name, template, Path(scratch) / "work", args.points, random.Random(args.seed))
    print(json.dumps(found))


def crash(name: str, template: Path, work: Path, points: int, chance: random.Random) -> dict[str, int]:
    """Kill one change at some moments, all of them where there are not more."""
    before, moments = state_of(template), count_moments(name, template, work)
    after = state_of(work)
    assert before != after or name == "compact"
    done = 0
    for moment in sorted(chance.sample(range(moments), min(points, moments))):
        fresh(template, work)
        assert _run(name, work, moment) == signal.SIGKILL, (name, moment)
        now = state_of(work)
        assert now in (before, after), (name, moment, "half a state")
        done += now == after and now != before
        if now == before:
            CHANGES[name](work)
        assert state_of(work) == after, (name, moment, "the change made again leads elsewhere")
        leftovers = [str(path) for path in (work / "index").rglob("*") if path.name.endswith((".partial", ".tmp"))]
        assert not leftovers, (name, moment, leftovers)
    return {"moments": moments, "killed": min(points, moments), "already there": done}


def writes(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether an audit event is of something that is done to the disk."""
    return event in _EVENTS or (event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & _WRITES))


def state_of(root: Path) -> dict[str, object]:
    """What the index holds, and what was made beside it."""
    return {name: content(root / name) if (root / name).exists() else None for name in ("index", "made")}


def fresh(template: Path, work: Path) -> None:
    """Everything as it was before the change."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(template, work)


def count_moments(name: str, template: Path, work: Path) -> int:
    """How many things a change does to the disk; it has been made then."""
    fresh(template, work)
    reading, writing = os.pipe()
    assert _run(name, work, None, report=writing) == 0, name
    os.close(writing)
    with os.fdopen(reading) as counted:
        return int(counted.read())


def _run(name: str, work: Path, moment: int | None, report: int | None = None) -> int:
    """Make a change in a process of its own; the signal that ended it, or 0."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, (name, moment)
        return os.WTERMSIG(status)
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if writes(event, arguments):
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(watch)
    try:
        CHANGES[name](work)
        if report is not None:
            os.write(report, str(seen).encode())
        os._exit(0)
    except BaseException as error:
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)


if __name__ == "__main__":
    main()
