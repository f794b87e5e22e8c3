"""Run the tutorial as a reader would, every command and snippet in order, and put what they print into the page.

    python -m benchmarks.tutorial [--out FOLDER] [--write]

Takes some minutes. Without `--write` the page stays as it is and what differs is printed; `tests/test_docs.py` compares
the two in the same way. Prose that quotes numbers, and the answer over HTTP, are left to the writer.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["PAGE", "Step", "outputs", "steps", "with_outputs"]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = "=" * 9
"""Printed before the last snippet, so that what earlier ones print can be told from it."""

Step = tuple[str, str, str]
"""`sh` or `python`, what is run, and what the page says that it prints."""


def steps(page: str) -> list[Step]:
    """What the page lets its reader do, in order.

    Raises:
        ValueError: something is run, and the page does not show what it prints.
    """
    blocks = _BLOCK.findall(page)
    kinds = [kind == "text" for kind, _ in blocks]
    if kinds != [False, True] * (len(kinds) // 2):
        raise ValueError("each block of commands or Python is to be followed by a block of text, what it prints")
    return [(kind, code, shown) for (kind, code), (_, shown) in zip(blocks[::2], blocks[1::2], strict=True)]


def outputs(todo: list[Step], folder: Path) -> Iterator[str]:
    """What each step prints when it is run in a folder; later snippets go on from earlier ones."""
    before = ""
    for kind, code, _ in todo:
        if kind == "sh":
            printed = "".join(_run(shlex.split(line), folder) for line in code.splitlines())
        else:
            printed = _run(["python", "-c", f"{before}\nprint({_MARK!r})\n{code}"], folder).split(f"{_MARK}\n")[-1]
            before += code
        yield printed.replace(f"{folder.resolve()}/", "")


def with_outputs(page: str, printed: list[str]) -> str:
    """The page with these outputs instead of its own."""
    blocks = iter(printed)
    return _BLOCK.sub(lambda block: f"```text\n{next(blocks)}```" if block[1] == "text" else block[0], page)


def _run(command: list[str], folder: Path) -> str:
    if command[0] != "python":
        raise ValueError(f"{shlex.join(command)!r} is run by the tutorial; it may run Python only")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *command[1:]]
    return subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    """Run the page; 1 where what it shows is not what is printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, help="new folder to work in (default: one that is removed again)")
    parser.add_argument("--write", action="store_true", help="put what is printed into the page")
    args = parser.parse_args()
    page = PAGE.read_text()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.out or Path(temporary)
        folder.mkdir(exist_ok=True)
        made = with_outputs(page, list(outputs(steps(page), folder)))
    sys.stdout.writelines(difflib.unified_diff(page.splitlines(True), made.splitlines(True), "page", "printed"))
    if args.write:
        PAGE.write_text(made)
    return int(made != page and not args.write)


if __name__ == "__main__":
    sys.exit(main())
