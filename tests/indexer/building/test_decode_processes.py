"""Processes decode to the same pixels as threads, in order, and do not outlive what started them."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.building.decode_ahead import DecodeAhead
from indexer.building.plan import BuildSpec, make_plan
from indexer.common.errors import BadSource, DecoderGone
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.tile_folder import FolderSource
from indexer.tiles.tile_table import TileRecord
from tests.fakes import FakeEncoder
from tests.indexer.tiny import encoded, files_of, make_tiles

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.building.test_decode_processes import PROCESSES
if __name__ == "__main__":
    build_index(open_source(sys.argv[1]), FakeEncoder(), sys.argv[2], spec=PROCESSES)
"""
PROCESSES = BuildSpec(batch_size=8, shard_tiles=64, workers=2, decode="processes")


def test_the_index_is_the_same_byte_for_byte_whatever_decodes(tmp_path: Path) -> None:
    tiles = make_tiles(tmp_path / "tiles", 20, 16)
    broken = sorted(tiles.rglob("*.png"))[5]
    broken.write_bytes(b"broken")
    source = open_source(tiles)
    done = build_index(source, FakeEncoder(), tmp_path / "processes", spec=PROCESSES)
    build_index(source, FakeEncoder(), tmp_path / "threads", spec=BuildSpec(batch_size=8, shard_tiles=64))
    assert (done.embedded, done.failed) == (319, 1)
    assert done.stages.decoding > 0
    assert files_of(tmp_path / "processes") == files_of(tmp_path / "threads")
    assert not multiprocessing.active_children()


class Encoded:
    """A source that hands out bytes and names no files, as an archive does; and the folder that it is made of."""

    def __init__(self, folder: Path) -> None:
        self._inner = open_source(folder)
        self.kind, self.path = self._inner.kind, self._inner.path
        self.describe, self.list_tiles, self.close = self._inner.describe, self._inner.list_tiles, self._inner.close
        self.read_count = 0

    def read(self, tile: TileRecord) -> bytes | Image.Image:
        self.read_count += 1
        return self._inner.read(tile)


def test_processes_read_files_themselves_and_take_what_else_a_source_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles = make_tiles(tmp_path / "tiles", 20, 16)
    names = sorted(tiles.rglob("*.png"))
    names[5].write_bytes(b"broken")
    folder, encoded_source = open_source(tiles), Encoded(tiles)
    names[9].unlink()
    given = build_index(encoded_source, FakeEncoder(), tmp_path / "given", spec=PROCESSES)
    assert encoded_source.read_count >= 320
    looked_at: list[object] = []
    monkeypatch.setattr(FolderSource, "read", lambda _, tile: looked_at.append(tile) or encoded(1))
    plan = make_plan(folder, FakeEncoder(), tmp_path / "read", PROCESSES)
    looked_at.clear()
    read = build_index(folder, FakeEncoder(), tmp_path / "read", spec=PROCESSES, plan=plan)
    assert looked_at == []
    assert files_of(tmp_path / "read") == files_of(tmp_path / "given")
    assert read.reasons == given.reasons
    assert (read.failed, read.embedded) == (1, 318)


def test_a_fault_of_the_source_and_a_dead_process_are_named(tmp_path: Path) -> None:
    tiles, encoder = make_tiles(tmp_path / "tiles", 4, 4), FakeEncoder()
    sorted(tiles.rglob("*.png"))[3].write_bytes(encoded(1, 48, "JPEG"))
    oblong = np.zeros((16, 32, 3), np.uint8)
    Image.fromarray(oblong + 7).save(sorted(tiles.rglob("*.png"))[2])
    source = open_source(tiles)
    table = source.list_tiles().table
    decoding = DecodeAhead(source, table, encoder.inputs, threads=1, ahead=4, processes=True)
    with decoding, pytest.raises(BadSource, match="is square"):
        list(decoding.stream(list(range(16))))
    decoding = DecodeAhead(source, table, encoder.inputs, threads=1, ahead=4, processes=True)
    with decoding:
        next(decoding.stream([0]))
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
        with pytest.raises(DecoderGone, match="--decode threads"):
            list(decoding.stream([0]))


def group_of(leader: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_no_process_outlives_a_killed_build_and_the_build_goes_on(tmp_path: Path) -> None:
    tiles, out = make_tiles(tmp_path / "tiles", 40, 32), tmp_path / "index"
    command = [sys.executable, "-c", PROGRAM, str(tiles), str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as process:
        while not (tmp_path / ".index.partial" / "shard-000002.json").exists():
            assert process.poll() is None
            time.sleep(0.001)
        assert len(group_of(process.pid)) > 2
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while group_of(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert group_of(process.pid) == []
    assert build_index(open_source(tiles), FakeEncoder(), out, spec=PROCESSES).resumed >= 3 * 64
