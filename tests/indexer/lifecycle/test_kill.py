"""Changes that are killed for good (SIGKILL, no clean-up of any kind); `crashing` does it as often as wanted."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_a_change_that_is_killed_is_there_whole_or_not_at_all_and_can_be_made_again() -> None:
    command = [sys.executable, "-m", "tests.indexer.lifecycle.crashing", "--points", "4", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sorted(found) == ["add", "build", "compact", "merge", "remove", "split", "update"]
    assert all(one["killed"] == 4 and one["moments"] > 4 for one in found.values())


def test_a_full_disk_a_second_writer_and_a_reader_meet_no_half_state() -> None:
    command = [sys.executable, "-m", "tests.indexer.lifecycle.faults", "--points", "2", "--rounds", "2", "--seed", "3"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(one["full"] == 2 for one in found["full disk"].values())
    assert found["two writers"] == {"refused": 4}
    assert found["reader"]["answers"] > 0
