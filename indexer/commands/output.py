"""Numbers and JSON as the commands print them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from model.common.atomic_io import canonical_json

__all__ = ["as_degrees", "as_size", "print_json", "print_lines"]


def print_lines(*lines: str) -> None:
    """Write lines to stdout."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def print_json(value: dict[str, Any]) -> None:
    """Write an object to stdout, its keys sorted."""
    sys.stdout.write(canonical_json(json.loads(json.dumps(value))).decode())


def as_degrees(values: Sequence[float]) -> str:
    """Coordinates to about a decimetre: `8.500000, 47.100000`."""
    return ", ".join(f"{value:.6f}" for value in values)


def as_size(count: int) -> str:
    """Bytes for people: `1.5 GB`."""
    value, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "bytes" else f"{value:.1f} {units[0]}"
