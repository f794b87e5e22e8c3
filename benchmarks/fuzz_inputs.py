"""`python -m benchmarks.fuzz_inputs`: damaged inputs by the thousand; each must end in a result or in one line.

Every example is made from its number, so a record names what failed by kind and number: `--kind K --first N --count 1`
does it again. Examples run in processes of their own with a bound on memory and on the time of each.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.mutations import KINDS, damaged, draw_mutations, outcome
from benchmarks.record import write_record

_MEMORY_BYTES = 2 << 30
_SECONDS = 10
_BATCH = 250


def main() -> int:
    """Run the examples and write a record; 1 where one failed."""
    args = _parser().parse_args()
    if args.worker:
        print(json.dumps(_run_batch(args.kind, args.first, args.count)))
        return 0
    kinds = [args.kind] if args.kind else list(KINDS)
    each = -(-args.count // len(kinds))
    began = time.monotonic()
    results = {kind: _run_kind(kind, args.first, each) for kind in kinds}
    failures = [failure for result in results.values() for failure in result["failures"]]
    total = {
        "examples": each * len(kinds),
        "failures": len(failures),
        "seconds": round(time.monotonic() - began, 1),
        "bound_on_memory_bytes": _MEMORY_BYTES,
        "bound_on_seconds_each": _SECONDS,
    }
    print(json.dumps(total | {"failed": failures[:20]}, indent=2))
    if args.record:
        write_record(args.record, total | {"kinds": results})
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_inputs", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="examples in all (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first example (default: %(default)s)")
    parser.add_argument("--kind", choices=tuple(KINDS), help="only this kind (default: all, in equal shares)")
    parser.add_argument("--record", metavar="NAME", help="write results/NAME.json")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser


def _run_kind(kind: str, first: int, count: int) -> dict[str, Any]:
    """All examples of a kind, in batches; a batch that dies is done again one by one."""
    endings: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    slowest, peak = 0.0, 0
    waiting = [(at, min(_BATCH, first + count - at)) for at in range(first, first + count, _BATCH)]
    while waiting:
        start, size = waiting.pop(0)
        done = _spawn(kind, start, size)
        if done is None and size > 1:
            waiting = [(at, 1) for at in range(start, start + size)] + waiting
            continue
        if done is None:
            done = {"endings": {"killed": 1}, "failures": [_failure(kind, start, "the process died")]}
        endings.update(done["endings"])
        failures += done["failures"]
        slowest, peak = max(slowest, done.get("slowest_s", 0.0)), max(peak, done.get("peak_bytes", 0))
    return {
        "examples": count,
        "endings": dict(endings.most_common()),
        "slowest_s": round(slowest, 3),
        "peak_bytes": peak,
        "failures": failures,
    }


def _spawn(kind: str, first: int, count: int) -> dict[str, Any] | None:
    """A batch in a process of its own; None where it died."""
    command = [sys.executable, "-m", "benchmarks.fuzz_inputs", "--worker", "--kind", kind]
    command += ["--first", str(first), "--count", str(count)]
    root = Path(__file__).parents[1]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60 + _SECONDS * count, cwd=root, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    batch: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return batch


def _run_batch(kind: str, first: int, count: int) -> dict[str, Any]:
    outcome(kind, KINDS[kind].wrap(KINDS[kind].seeds()[0]))  # imports count for no example
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES + _address_space(), resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, _give_up)
    endings: Counter[str] = Counter()
    failures = []
    slowest = 0.0
    for number in range(first, first + count):
        began = time.monotonic()
        signal.alarm(_SECONDS)
        try:
            ending = outcome(kind, damaged(kind, *draw_mutations(number)))
        except (Exception, _NoEndError) as error:  # the very thing that is looked for
            ending = f"failed: {type(error).__name__}"
            failures.append(_failure(kind, number, f"{type(error).__name__}: {str(error)[:200]}"))
        finally:
            signal.alarm(0)
        endings[ending] += 1
        slowest = max(slowest, time.monotonic() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - used
    return {"endings": endings, "failures": failures, "slowest_s": slowest, "peak_bytes": peak}


def _give_up(*_: object) -> None:
    raise _NoEndError(f"no end after {_SECONDS} s")


class _NoEndError(BaseException):
    """An example took too long; no reader takes it for an error of its own."""


def _address_space() -> int:
    """Bytes of address space that the process has taken already."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _failure(kind: str, number: int, reason: str) -> dict[str, Any]:
    return {"kind": kind, "number": number, "reason": reason}


if __name__ == "__main__":
    sys.exit(main())
