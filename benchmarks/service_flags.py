"""The flags that every measurement of the running service has."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.network.specs import DEFAULT_CHECKPOINT

__all__ = ["service_parser"]


def service_parser(name: str, doc: str | None, *, photo: str | None = None) -> argparse.ArgumentParser:
    """A parser with `--index`, `--checkpoint`, `--beside`, `--service-flags` and, where it is said what for, `--photo`.

    Args:
        name: of the module.
        doc: its docstring, the first line of which describes it.
        photo: what the photo is for.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=(doc or "").split("\n")[0])
    add = parser.add_argument
    add("--index", type=Path, required=True, help="index folder to serve")
    if photo is not None:
        add("--photo", type=Path, required=True, help=photo)
    add("--checkpoint", default=DEFAULT_CHECKPOINT, help="encoder bundle (default %(default)s)")
    add("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    add("--service-flags", nargs=argparse.REMAINDER, default=[], help="further flags of `python -m service`, last")
    return parser
