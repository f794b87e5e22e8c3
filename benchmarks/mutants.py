"""Small wrong changes made to the core modules by mutmut, and the share of them that a module's own tests notice.

Each module is changed in a copy of the tree below `build/mutants`; its tests run in forks of one process that has
imported everything, so that a mutant costs its tests alone. `mutants.toml` says which tests judge which module, and
which mutants cannot be told from the original by any test, with the reason. mutmut changes neither the values of
constants and defaults nor functions below a decorator: properties and context managers.

    python -m benchmarks.mutants [MODULE ...]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, circumstances

_ROOT = Path(__file__).parents[1]
_WORK = _ROOT / "build" / "mutants"
_SURVIVED = ("survived", "no tests")
_NOT_JUDGED = "not checked"
_SETTINGS = """
[tool.mutmut]
source_paths = ["model", "indexer", "service"]
only_mutate = [{module}]
also_copy = ["benchmarks", "configs", "docs", "README.md", "clnet_geolocalization.py"]
pytest_add_cli_args = ["-n", "0", "-p", "no:cacheprovider", "--hypothesis-profile=ci"]
pytest_add_cli_args_test_selection = {tests}
process_isolation = "fork"
timeout_constant = 10.0
timeout_multiplier = 6.0
"""
_SHOW = """
import sys
from mutmut.mutation.diff_apply import find_mutant, get_diff_for_mutant
for name in sys.argv[1:]:
    print(get_diff_for_mutant(name, path=find_mutant(name).path), end="\\0")
"""
"""Prints the differences of many mutants at the price of one start."""


@dataclass(frozen=True)
class Change:
    """What a mutant is: the lines that it takes away and those that it puts there."""

    name: str
    status: str
    removed: str
    added: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the modules asked for, update `results/mutation.json`, list survivors; 1 where too few are killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="paths of modules (default: all of mutants.toml)")
    parser.add_argument(
        "--survivors", action="store_true", help="judge only the last run's survivors: tests were added"
    )
    parser.add_argument(
        "--ending", metavar="DIGITS", help="a sample: mutants whose number ends with one of these digits"
    )
    parser.add_argument("--least", type=float, default=0.9, help="share to be killed, equivalents apart (default 0.9)")
    args = parser.parse_args(argv)
    settings = tomllib.loads((_ROOT / "benchmarks" / "mutants.toml").read_text())
    asked = args.modules or list(settings["modules"])
    if unknown := [module for module in asked if module not in settings["modules"]]:
        parser.error(f"{', '.join(unknown)}: not in benchmarks/mutants.toml; it names {', '.join(settings['modules'])}")
    for module in asked:
        began = time.monotonic()
        changes = mutate(module, settings["modules"][module], again=args.survivors, ending=args.ending)
        told = summary(changes, [one for one in settings["equivalent"] if one.get("module", module) == module])
        told |= {"tests": settings["modules"][module], "seconds": round(time.monotonic() - began)}
        told |= {"survivors_of_the_run_before": True} if args.survivors else {}
        told |= {"sample": f"numbers that end with one of {args.ending}"} if args.ending else {}
        share = record(module, told, list(settings["modules"]))
        print(
            f"{module}: {told['killed']} of {told['mutants']} killed, {len(told['equivalent'])} equivalent", flush=True
        )
        for one in told["survivors"]:
            print(f"  {one['mutant']}\n    - {one['removed']}\n    + {one['added']}", flush=True)
    print(f"{share:.1%} of all recorded mutants killed, equivalents apart")
    return int(share < args.least)


def mutate(module: str, tests: Sequence[str], *, again: bool = False, ending: str | None = None) -> list[Change]:
    """Run mutmut on one module in a copy of the tree.

    Args:
        module: its path.
        tests: paths of the files that judge it.
        again: keep the copy of the run before and judge its survivors only; right as long as tests were only added.
        ending: last digits of the numbers of those that are judged, a sample; None judges all.
    """
    dotted = module.removesuffix(".py").replace("/", ".")
    work = _WORK / dotted
    names = [f"{dotted}.*__mutmut_*[{ending}]"] if ending else []
    if again and work.exists():
        names = [name for name, status in _states(work) if status in _SURVIVED]
        if not names:
            return _changes(work)
    else:
        shutil.rmtree(work, ignore_errors=True)
    _copy_tree(work)
    project = work / "pyproject.toml"
    project.write_text(project.read_text() + _SETTINGS.format(module=json.dumps(module), tests=json.dumps(list(tests))))
    _mutmut(work, "run", "--max-children", "1", *names)
    if not ending and any(status == _NOT_JUDGED for _, status in _states(work)):  # of functions changed since
        _mutmut(work, "run", "--max-children", "1")
    return _changes(work)


def summary(changes: Sequence[Change], equivalents: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Counts, the survivors, and those of them that are equivalent, with the reason."""
    alive = [change for change in changes if change.status in _SURVIVED]
    shown = [
        {
            "mutant": change.name,
            "removed": change.removed,
            "added": change.added,
            "reason": _reason(change, equivalents),
        }
        for change in alive
    ]
    known = [one for one in shown if one["reason"]]
    judged = [change for change in changes if change.status != _NOT_JUDGED]
    return {
        "mutants": len(judged),
        "killed": len(judged) - len(alive),
        "by_status": dict(Counter(change.status for change in changes)),
        "survived": len(alive) - len(known),
        "survivors": [one for one in shown if not one["reason"]],
        "equivalent": known,
    }


def record(module: str, told: Mapping[str, Any], order: Sequence[str]) -> float:
    """Put one module's numbers into the record; returns the share killed over all modules in it, equivalents apart."""
    path = RESULTS / "mutation.json"
    before = json.loads(path.read_text())["result"]["modules"] if path.exists() else {}
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=_ROOT, check=True, capture_output=True, text=True
    )
    made = {**before, module: {"date": date, "commit": commit.stdout.strip(), **told}}
    modules = {name: made[name] for name in order if name in made}
    total = {key: sum(one[key] for one in modules.values()) for key in ("mutants", "killed", "survived")}
    share = float(total["killed"] / (total["killed"] + total["survived"]))
    total |= {"equivalent": total["mutants"] - total["killed"] - total["survived"], "share_killed": round(share, 4)}
    result = {"tool": f"mutmut {version('mutmut')}", "total": total, "modules": modules}
    path.write_text(json.dumps({**circumstances(), "result": result}, indent=2, ensure_ascii=False) + "\n")
    return share


def _reason(change: Change, equivalents: Sequence[Mapping[str, str]]) -> str | None:
    """Why a mutant is none: its lines are those of an equivalent, or differ by nothing else than one replaces."""
    for one in equivalents:
        if "old" in one and change.removed.replace(one["old"], one["new"]) == change.added != change.removed:
            return one["reason"]
        if (change.removed, change.added) == (one.get("removed"), one.get("added")):
            return one["reason"]
    return None


def _copy_tree(work: Path) -> None:
    """Every file that git knows, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=_ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        if (_ROOT / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, work / name)


def _states(work: Path) -> list[tuple[str, str]]:
    """(name, status) of every mutant."""
    return re.findall(r"^ +(\S+): (.+)$", _mutmut(work, "results", "--all", "true"), re.MULTILINE)


def _changes(work: Path) -> list[Change]:
    """Every mutant; the lines are looked up for survivors only."""
    states = _states(work)
    alive = [name for name, status in states if status in _SURVIVED]
    shown = subprocess.run([sys.executable, "-c", _SHOW, *alive], cwd=work, check=True, capture_output=True, text=True)
    lines = dict(zip(alive, map(_lines, shown.stdout.split("\0")), strict=False))
    return [Change(name, status, *lines.get(name, ("", ""))) for name, status in states]


def _lines(diff: str) -> tuple[str, str]:
    """The lines that a diff takes away, and those that it puts there."""
    changed = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    removed, added = (" ".join(line[1:].strip() for line in changed if line.startswith(sign)) for sign in "-+")
    return removed, added


def _mutmut(work: Path, *arguments: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([_program(), *arguments], cwd=work, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"mutmut {' '.join(arguments)} failed in {work}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def _program() -> str:
    return str(Path(sys.executable).with_name("mutmut"))


if __name__ == "__main__":
    sys.exit(main())
