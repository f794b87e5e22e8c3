"""A build that is killed for good (SIGKILL, no clean-up of any kind) and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.tiny import files_of, make_tiles

ROOT = Path(__file__).resolve().parents[3]
SPEC = BuildSpec(batch_size=8, shard_tiles=32, workers=2)
PROGRAM = """
import sys
from pathlib import Path
from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.building.test_kill import SPEC
print(build_index(open_source(sys.argv[1]), FakeEncoder(), Path(sys.argv[2]), spec=SPEC).resumed)
"""


def start(tiles: Path, out: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(tiles), str(out)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def kill_when(process: subprocess.Popen[str], moment: Callable[[], bool]) -> None:
    while process.poll() is None and not moment():
        time.sleep(0.0005)
    assert process.poll() is None, "the build ended before it was killed"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_kill_9_in_mid_build_then_the_same_command_gives_the_same_bytes(tmp_path: Path) -> None:
    tiles, out, partial = make_tiles(tmp_path / "tiles", 32, 32), tmp_path / "index", tmp_path / ".index.partial"
    kill_when(start(tiles, out), lambda: (partial / "shard-000003.json").exists())
    assert partial.exists()
    assert not out.exists()
    printed, _ = start(tiles, out).communicate()
    assert int(printed) >= 3 * SPEC.shard_tiles
    assert not partial.exists()
    build_index(open_source(tiles), FakeEncoder(), tmp_path / "whole", spec=SPEC)
    assert files_of(out) == files_of(tmp_path / "whole")
