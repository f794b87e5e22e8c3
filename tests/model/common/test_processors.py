import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.common.processors import _quota, available_processors


def test_what_the_affinity_leaves_is_what_counts():
    first = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{first}}}); " + (
        "from model.common.processors import available_processors; print(available_processors())"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout == "1\n"
    assert 1 <= available_processors() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quotas", "processors"),
    [
        ({"": "max 100000"}, 1 << 16),
        ({"": "50000 100000"}, 1),
        ({"": "max 100000", "a": "250000 100000", "a/b": "max 100000"}, 3),
        ({"a": "400000 100000", "a/b": "200000 100000"}, 2),
        ({"": "nonsense"}, 1 << 16),
        ({}, 1 << 16),
    ],
)
def test_the_least_quota_of_the_groups_counts(tmp_path: Path, quotas, processors):
    for name, text in quotas.items():
        (tmp_path / "cgroup" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "cgroup" / name / "cpu.max").write_text(f"{text}\n")
    own = tmp_path / "own"
    own.write_text("0::/a/b\n")
    assert _quota(tmp_path / "cgroup", own) == processors


def test_without_control_groups_nothing_is_taken_away(tmp_path: Path):
    assert _quota(tmp_path, tmp_path / "none") == 1 << 16
