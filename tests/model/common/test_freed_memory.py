import ctypes
import subprocess
import sys

import pytest

from model.common.freed_memory import keep_freed_memory

_FAULTS = """
import resource, sys
import numpy as np
from model.common.freed_memory import keep_freed_memory

if sys.argv[1] == "kept" and not keep_freed_memory():
    raise SystemExit("cannot")
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):  # 64 MiB, more than glibc ever takes from its heap by itself
        np.full(1 << 23, 1.0)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults)
"""


def _faults(how: str) -> int | None:
    done = subprocess.run([sys.executable, "-c", _FAULTS, how], capture_output=True, text=True, check=False)
    if done.returncode and "cannot" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="counts the page faults of glibc's malloc, which is Linux's")
def test_pages_once_freed_are_taken_again_without_asking_the_kernel() -> None:
    kept = _faults("kept")
    if kept is None:
        pytest.skip("this C library has no mallopt that keeps freed memory, so nothing is kept")
    assert kept < 100
    given_back = _faults("given back")
    assert given_back is not None
    assert given_back > 10 * max(kept, 1)


def test_elsewhere_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()


def test_a_library_without_mallopt_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert not keep_freed_memory()
