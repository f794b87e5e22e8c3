"""What a run folder was started with: written once, and held against every later start."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.common.atomic_io import canonical_json, write_json
from model.common.errors import BadConfig
from model.common.specs import spec_from
from model.training.config import RunSpec

__all__ = ["claim", "with_defaults"]


def with_defaults(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with every key: one that is younger than the run has its default."""
    return asdict(spec_from(RunSpec, tree, "run.json"))


def claim(
    out: Path,
    file: str,
    content: Mapping[str, Any],
    change: str,
    remedy: str,
    *,
    complete: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
) -> None:
    """Write what the run was started with, or check that the folder's is the same when both are made complete.

    Raises:
        BadConfig: the folder belongs to another run.
    """
    path = out / file
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, content)
        return
    found, wanted = (canonical_json(complete(one)) for one in (json.loads(path.read_bytes()), content))
    if found != wanted:
        old, new = ([line.strip(" ,") for line in text.decode().splitlines()] for text in (found, wanted))
        differing = [f"{a} -> {b}" for a, b in zip(old, new, strict=False) if a != b]
        raise BadConfig(
            f"{out} was started with {change} ({'; '.join(differing[:5]) or 'other keys'}); "
            f"give {remedy} to resume, or another --out"
        )
