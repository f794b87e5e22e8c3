"""Print the project's dependencies, with some extras, as a requirements file.

So the image can install them in a layer of their own, before the code. `python docker/dependencies.py [EXTRA...]`
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_UNLESS_EXTRA = re.compile(r"\s*extra != '([\w-]+)'\s*")


def requirements(project: dict[str, Any], extras: Sequence[str]) -> Iterator[str]:
    """The requirement strings of a `[project]` table; `x; extra != 'gpu'` gives way to the extra `gpu`."""
    for line in project["dependencies"]:
        requirement, _, marker = line.partition(";")
        unless = _UNLESS_EXTRA.fullmatch(marker)
        if unless is None:
            yield line
        elif unless[1] not in extras:
            yield requirement
    for extra in extras:
        yield from project["optional-dependencies"][extra]


if __name__ == "__main__":
    text = Path(__file__).parent.with_name("pyproject.toml").read_text("utf-8")
    sys.stdout.writelines(f"{line}\n" for line in requirements(tomllib.loads(text)["project"], sys.argv[1:]))
