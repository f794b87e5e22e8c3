"""`python -m benchmarks.attack_schema`: thousands of requests made from the OpenAPI document, right and wrong.

Starts a service of its own and lets schemathesis ask it for everything that `/openapi.json` describes. Every answer
must have a status, a media type and a shape that the document names, and none may be a fault of the server. Records how
many cases there were, and which statuses each address answered with. Ends with 1 where anything failed.

schemathesis has an environment of its own, since it brings a plugin that changes how other tests run:

    python -m venv .venv-attack && .venv-attack/bin/pip install schemathesis
    python -m benchmarks.attack_schema --index clnet-data/demo/index --photo PANORAMA
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from benchmarks.bench_service import start_service
from benchmarks.record import write_record
from benchmarks.service_flags import service_parser
from service.client import Client

_HOOKS = Path(__file__).with_name("schema_hooks.py")
_LEFT_OUT = "positive_data_acceptance"
"""A check that noise in the place of a photo cannot pass: to be a photo is no matter of the schema."""
_COUNTED = re.compile(r'clnet_requests_total\{method="(\w+)",route="([^"]*)",status="(\d+)"\} (\d+)')


def main(argv: Sequence[str] | None = None) -> int:
    """Attack and record."""
    args = _parser().parse_args(argv)
    patient = ["--deadline-s", "300", "--min-upload-kb-s", "0"]  # a busy machine must not look like a slow client
    with start_service(args.index, args.checkpoint, [*patient, *args.service_flags]) as (url, process):
        with Client(url, http=httpx.Client(base_url=url, timeout=300)) as client:
            tile_id = client.localize(args.photo).matches[0].tile_id
            client.explain(args.photo, tile_id)  # the first one loads torch, which takes long on a busy machine
        command = [
            str(args.schemathesis.absolute()),
            "run",
            f"{url}/openapi.json",
            "--phases",
            "examples,coverage,fuzzing",
        ]
        command += ["--max-examples", str(args.cases), "--seed", str(args.seed), "--exclude-checks", _LEFT_OUT]
        command += ["--continue-on-failure", "--no-shrink", "--workers", "4", "--request-timeout", "90"]
        done = _run(command, {"ATTACK_PHOTO": str(args.photo.absolute()), "ATTACK_TILE": tile_id})
        args.log.write_text(done.stdout)
        print(done.stdout[done.stdout.rfind("= SUMMARY =") :], done.stderr[-2000:], sep="\n")
        counts = statuses(httpx.get(f"{url}/metrics").text)
        alive = process.poll() is None
    cases = re.search(r"(\d+) generated", done.stdout)
    record = {
        "cases": int(cases.group(1)) if cases else 0,
        "passed": done.returncode == 0,
        "alive_after": alive,
        "answers": counts,
        "summary": [
            line for line in done.stdout.splitlines() if re.search(r"passed|failed|generated|undocumented", line)
        ],
    }
    print(write_record("attack-schema", record))
    return 0 if done.returncode == 0 and alive else 1


def _run(command: Sequence[str], told: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What schemathesis says, run where it may leave its notes."""
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(_HOOKS)} | dict(told)
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)


def statuses(metrics: str) -> dict[str, dict[str, int]]:
    """Method and route -> status -> answers, as the service itself counts them."""
    found: dict[str, dict[str, int]] = {}
    for method, route, status, count in _COUNTED.findall(metrics):
        found.setdefault(f"{method} {route}", {})[status] = int(count)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("attack_schema", __doc__, photo="a real photo")
    add = parser.add_argument
    add("--schemathesis", type=Path, default=".venv-attack/bin/schemathesis", help="the command (default %(default)s)")
    add("--cases", type=int, default=150, help="most cases of noise for each operation (default %(default)s)")
    add("--seed", type=int, default=1, help="of the noise (default %(default)s)")
    add("--log", type=Path, default="attack-schema.log", help="what schemathesis said (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
