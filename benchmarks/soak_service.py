"""`python -m benchmarks.soak_service`: the memory of the service and its processes over thousands of requests.

Right photos and, every tenth time, bytes that are none, from a few clients without a pause. Ends with 1 where the last
quarter of the requests holds more memory than the second quarter, by more than the bound.

    python -m benchmarks.soak_service --index clnet-data/demo/index --photo PANORAMA --requests 20000
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence

import httpx
import numpy as np

from benchmarks.bench_service import start_service
from benchmarks.processes import memory_of
from benchmarks.record import write_record
from benchmarks.service_flags import service_parser

_BOUND_MIB = 16.0
_SAMPLES = 80
_BAD = b"this is no picture " * 1000


def main(argv: Sequence[str] | None = None) -> int:
    """Ask and record."""
    args = _parser().parse_args(argv)
    photo = args.photo.read_bytes()
    answers: Counter[int] = Counter()
    began = time.monotonic()
    with start_service(args.index, args.checkpoint, args.service_flags) as (url, process):
        memory = _ask(url, process.pid, photo, args.requests, args.clients, answers)
    quarter = len(memory) // 4
    grown = float(np.median(memory[3 * quarter :]) - np.median(memory[quarter : 2 * quarter]))
    record = {
        "requests": sum(answers.values()),
        "answers": {str(status): count for status, count in sorted(answers.items())},
        "seconds": round(time.monotonic() - began, 1),
        "memory_mib": [round(one, 1) for one in memory],
        "grown_mib": round(grown, 2),
        "bound_mib": _BOUND_MIB,
        "load_average": os.getloadavg(),
    }
    print({name: value for name, value in record.items() if name != "memory_mib"})
    print(write_record("soak-service", record))
    return 0 if grown <= _BOUND_MIB and set(answers) <= {200, 422} else 1


def _ask(url: str, pid: int, photo: bytes, requests: int, clients: int, answers: Counter[int]) -> list[float]:
    """Ask that often, and say how many MiB were held as it went."""
    memory: list[float] = []
    left = iter(range(requests))
    lock = threading.Lock()

    def client() -> None:
        with httpx.Client(base_url=url, timeout=60) as session:
            while True:
                with lock:
                    number = next(left, None)
                    if number is not None and number % max(1, requests // _SAMPLES) == 0:
                        memory.append(memory_of(pid) / (1 << 20))
                if number is None:
                    return
                body = _BAD if number % 10 == 9 else photo
                status = session.post("/localize", files={"panorama": body}).status_code
                with lock:
                    answers[status] += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return memory


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("soak_service", __doc__, photo="panorama to post")
    add = parser.add_argument
    add("--requests", type=int, default=20_000, help="how many (default %(default)s)")
    add("--clients", type=int, default=8, help="at once (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
