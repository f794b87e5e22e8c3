"""Processors that this process may use: the machine's, less what its affinity and its container take away."""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath

__all__ = ["available_processors"]

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def available_processors() -> int:
    """Processors that this process may use at once, at least one.

    A container with a share of a processor counts as having one; threads beyond its quota would only wait.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, _quota(_CGROUPS, _OWN_CGROUP)))


def _quota(cgroups: Path, own: Path) -> int:
    """The least quota of the process's control groups (version 2) in whole processors, rounded up; many for none."""
    try:
        named = [line.partition("::")[2] for line in own.read_text().splitlines() if line.startswith("0::")]
    except OSError:
        return 1 << 16
    groups = [PurePosixPath(name.lstrip("/")) for name in named]
    # Inside a container the named group may lie outside of what is mounted; its own quota then stands at the top.
    folders = {cgroups / folder for group in groups for folder in (group, *group.parents)} | {cgroups}
    return min((_quota_of(folder / "cpu.max") for folder in folders), default=1 << 16)


def _quota_of(path: Path) -> int:
    try:
        quota, period = path.read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or "max"
        return 1 << 16
