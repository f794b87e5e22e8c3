"""Faults beside kills: a full disk at many points of every change, two writers at once, a reader through all of it.

python -m tests.indexer.lifecycle.faults --points 10 --rounds 20
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from indexer.common.errors import BuildConflict
from indexer.index.index_manifest import IndexManifest
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.change import changing
from model.common.errors import GeoLocalizationError
from tests.indexer.lifecycle.crashing import CHANGES, count_moments, fresh, prepare, state_of, writes
from tests.indexer.lifecycle.living import add, compact, name_of, put_tile, remove
from tests.indexer.tiny import vector_of

READER = """
import json, sys, threading
from pathlib import Path
from indexer.index.tile_index import TileIndex
from tests.indexer.tiny import vector_of
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
seen, answers = set(), 0
while not stop.is_set() or not answers:
    index = TileIndex.open(Path(sys.argv[1]))
    (found,) = index.search(vector_of(7), top_k=3)
    assert len(found.rows) == 3 and index.tile(int(found.rows[0])).tile_id == sys.argv[2], found
    seen.add(index.digest)
    answers += 1
    index.close()
    if answers == 1:
        print("ready", flush=True)
print(json.dumps({"answers": answers, "digests": sorted(seen)}), flush=True)
"""


def main() -> None:
    """Each fault, then what came of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--points", type=int, default=10, help="points of each change at which the disk is full")
    parser.add_argument("--rounds", type=int, default=20, help="changes made under a reader")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of points")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        template, work = Path(scratch) / "template", Path(scratch) / "work"
        prepare(template)
        full = {name: full_disk(name, template, work, args.points, random.Random(args.seed)) for name in CHANGES}
        found = {
            "full disk": full,
            "two writers": two_writers(template, work),
            "reader": under_a_reader(template, work, args.rounds),
        }
    print(json.dumps(found))


def full_disk(name: str, template: Path, work: Path, points: int, chance: random.Random) -> dict[str, int]:
    """Every write fails from some point on; then there is room again, and the same change is made."""
    before, moments = state_of(template), count_moments(name, template, work)
    after = state_of(work)
    chosen = sorted(chance.sample(range(moments), min(points, moments)))
    named = 0
    for moment in chosen:
        fresh(template, work)
        named += _run_full(name, work, moment)
        now = state_of(work)
        assert now in (before, after), (name, moment, "half a state")
        if now == before:
            CHANGES[name](work)
        assert state_of(work) == after, (name, moment, "the change made again leads elsewhere")
    return {"moments": moments, "full": len(chosen), "said in one line": named}


def _run_full(name: str, work: Path, moment: int) -> int:
    """Make a change in a process of its own that can write nothing from a moment on; whether it said so, 1 or 0."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 3, 4), (name, moment, status)
        return int(status == 3)
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if writes(event, arguments):
            seen += 1
            if seen > moment and event != "os.remove":  # what is deleted makes room
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sys.addaudithook(watch)
    try:
        CHANGES[name](work)
        os._exit(0)  # what failed was not needed
    except OSError as error:
        os._exit(3 if isinstance(error, GeoLocalizationError) or error.errno == errno.ENOSPC else 1)
    except GeoLocalizationError:
        os._exit(4)
    except BaseException as error:
        sys.stderr.write(f"{name} {moment} {error!r}\n")
        os._exit(1)


def two_writers(template: Path, work: Path) -> dict[str, int]:
    """While one holds the index, every other change of it is refused and changes nothing."""
    fresh(template, work)
    before, refused = state_of(work), 0
    with changing(work / "index"):
        for name in ("add", "update", "remove", "compact"):
            try:
                CHANGES[name](work)
            except BuildConflict:
                refused += 1
    assert refused == 4
    assert state_of(work) == before
    return {"refused": refused}


def under_a_reader(template: Path, work: Path, rounds: int) -> dict[str, int]:
    """Changes of all kinds while another process opens the index and searches it, again and again."""
    fresh(template, work)
    folder = work / "index"
    kept = TileIndex.open(folder)
    (first,) = kept.search(vector_of(7), top_k=3)
    best = kept.tile(int(first.rows[0])).tile_id
    published = {IndexManifest.read(folder).digest}
    command = [sys.executable, "-c", READER, str(folder), best]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        for number in range(rounds):
            put_tile(work / "more", 20 + number, 0, 200 + number)
            add(folder, work / "more")
            published.add(IndexManifest.read(folder).digest)
            remove(folder, ids=(name_of(20 + number, 0),))
            published.add(IndexManifest.read(folder).digest)
            compact(folder)
            published.add(IndexManifest.read(folder).digest)
        printed, _ = reader.communicate()
        assert reader.returncode == 0
    seen = json.loads(printed)
    assert set(seen["digests"]) <= published
    (last,) = kept.search(vector_of(7), top_k=3)
    assert last.rows.tolist() == first.rows.tolist()  # what was opened stays what it was
    kept.close()
    return {"changes": 3 * rounds, "answers": seen["answers"], "versions seen": len(seen["digests"])}


if __name__ == "__main__":
    main()
