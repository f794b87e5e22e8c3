"""Run every benchmark and write `benchmarks/results/*.json`; needs the demo's region and index (`make demo` once).

make bench
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_REGION, _INDEX = Path("clnet-data/demo/region"), Path("clnet-data/demo/index")


def main() -> int:
    """One process for each benchmark, one after the other; returns the number that failed."""
    if not _INDEX.is_dir():
        print(f"there is no {_INDEX}; run `make demo` once, then stop it", file=sys.stderr)
        return 1
    photo = sorted((_REGION / "panoramas").glob("*.jpg"))[0]
    service = ["bench_service", "--index", str(_INDEX), "--photo", str(photo)]
    failed = 0
    for command in (
        ["bench_train"],
        ["bench_step"],
        ["bench_index"],
        ["bench_lifecycle"],
        ["bench_search"],
        ["bench_evaluate"],
        service,
    ):
        print(f"--- {' '.join(command)}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"benchmarks.{command[0]}", *command[1:]]).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
