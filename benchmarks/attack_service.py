"""`python -m benchmarks.attack_service`: everything that a stranger, or a bad day, can do to the service.

Hostile photos, twenty at once and every fourth client gone, beside a normal photo asked for throughout; clients that
behave badly on the wire; faults of disk, index, keys and host names; SIGTERM at every stage. Attackers run in a process
of their own. Records how long the normal photo took, what the others were answered, and
how much memory the service and its processes took. Ends with 1 where a normal photo took longer than the bound, an
answer was neither 2xx, 4xx nor 503, or the process died.

    python -m benchmarks.attack_service --index clnet-data/demo/index --photo PANORAMA
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import httpx

from benchmarks.attack_clients import ATTACKS
from benchmarks.attack_faults import FAULTS
from benchmarks.bench_service import start_service
from benchmarks.hostile_photos import HOSTILE
from benchmarks.processes import memory_of
from benchmarks.record import write_record
from benchmarks.service_flags import service_parser

_AT_ONCE = 20
_BOUND_S = 2.0
_EVERY_S = 0.25
_LEAVE_AFTER_S = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Attack and record."""
    args = _parser().parse_args(argv)
    photo = args.photo.read_bytes()
    wanted = [name for name in (*HOSTILE, *ATTACKS, *FAULTS) if any(part in name for part in args.only)]
    record: dict[str, Any] = {"bound_s": _BOUND_S, "at_once": _AT_ONCE, "seconds_each": args.seconds}
    record |= _attack_photos(args, photo, [name for name in wanted if name in HOSTILE])
    record["faults"] = {}
    for name in (name for name in wanted if name in FAULTS):
        record["faults"][name] = FAULTS[name](args.index, args.checkpoint, photo)
        print(name, record["faults"][name], flush=True)
    record["load_average"] = os.getloadavg()
    print(write_record("attack-service", record))
    failed = _failures(record)
    print(f"did not hold: {failed or 'nothing'}")
    return 1 if failed else 0


def _attack_photos(args: argparse.Namespace, photo: bytes, names: Sequence[str]) -> dict[str, Any]:
    """Hostile photos and hostile clients, against one service."""
    with start_service(args.index, args.checkpoint, args.service_flags) as (url, process):
        _ask(url, photo)  # warm
        calm = sorted(_ask(url, photo)[1] for _ in range(20))
        kinds = [_attack(url, process.pid, photo, name, HOSTILE[name](), args.seconds) for name in names]
        clients = {
            name: attack(url, photo) for name, attack in ATTACKS.items() if any(one in name for one in args.only)
        }
        for name, row in clients.items():
            print(name, row, flush=True)
        alive = process.poll() is None and _ask(url, photo)[0] == 200
        stopped_s = _stop_under_attack(url, process, HOSTILE["WebP of 64 megapixels, flat"]())
    return {
        "calm_median_s": round(calm[10], 3),
        "calm_max_s": round(calm[-1], 3),
        "kinds": kinds,
        "clients": clients,
        "alive_after": alive,
        "seconds_from_sigterm_to_end": stopped_s,
    }


def _failures(record: dict[str, Any]) -> list[str]:
    late = [
        row["kind"]
        for row in record["kinds"]
        if row["normal_max_s"] > _BOUND_S or row["normal_failed"] or row["other_answers"]
    ]
    rows = record["clients"] | record["faults"]
    return [
        *late,
        *(name for name, row in rows.items() if not row["held"]),
        *([] if record["alive_after"] else ["life"]),
    ]


def _attack(url: str, pid: int, photo: bytes, name: str, hostile: bytes, seconds: float) -> dict[str, Any]:
    with _attackers(url, hostile, seconds) as told:
        took, failed, peak = _normal(url, pid, photo, time.monotonic() + seconds)
        answers: Counter[str] = told.recv()
    known = {kind for kind in answers if kind[0] in "24" or kind in ("503", "left")}
    row = {
        "kind": name,
        "bytes": len(hostile),
        "answers": dict(answers.most_common()),
        "other_answers": {kind: answers[kind] for kind in answers if kind not in known},
        "normal_answered": len(took),
        "normal_failed": failed,
        "normal_median_s": round(sorted(took)[len(took) // 2], 3) if took else None,
        "normal_max_s": round(max(took, default=float("inf")), 3),
        "peak_memory_mib": peak >> 20,
    }
    print(row, flush=True)
    return row


@contextmanager
def _attackers(url: str, hostile: bytes, seconds: float) -> Iterator[Connection]:
    """Their process; it tells what they were answered."""
    here, there = multiprocessing.Pipe()
    started = multiprocessing.get_context("spawn").Process(target=_send_all, args=(there, url, hostile, seconds))
    started.start()
    here.recv()  # it is there
    yield here
    started.join()


def _send_all(pipe: Connection, url: str, hostile: bytes, seconds: float) -> None:
    pipe.send(None)
    answers: Counter[str] = Counter()
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_send, args=(url, hostile, n % 4 == 0, end, answers)) for n in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(answers)


def _send(url: str, hostile: bytes, leaves: bool, end: float, answers: Counter[str]) -> None:
    """One attacker, who asks again and again; or leaves before there can be an answer."""
    timeout = httpx.Timeout(60, read=_LEAVE_AFTER_S if leaves else 60)
    with httpx.Client(base_url=url, timeout=timeout) as client:
        asked = 0
        while not asked or time.monotonic() < end:  # once at least, however busy the machine
            asked += 1
            try:
                answers[str(client.post("/localize", files={"panorama": hostile}).status_code)] += 1
            except httpx.ReadTimeout:
                answers["left"] += 1
            except httpx.TransportError as error:
                answers[type(error).__name__] += 1


def _normal(url: str, pid: int, photo: bytes, end: float) -> tuple[list[float], Counter[str], int]:
    """Seconds that a normal photo took each time, what else came, and the most memory seen."""
    took: list[float] = []
    failed: Counter[str] = Counter()
    peak = 0
    while time.monotonic() < end:
        status, seconds = _ask(url, photo)
        if status == 200:
            took.append(seconds)
        else:
            failed[str(status)] += 1
        peak = max(peak, memory_of(pid))
        time.sleep(_EVERY_S)
    return took, failed, peak


def _ask(url: str, photo: bytes) -> tuple[int, float]:
    begin = time.monotonic()
    status = httpx.post(f"{url}/localize", files={"panorama": photo}, timeout=60).status_code
    return status, time.monotonic() - begin


def _stop_under_attack(url: str, process: subprocess.Popen[bytes], hostile: bytes) -> float:
    """Seconds from SIGTERM to the end of the process, while hostile photos are decoded."""
    senders = [
        threading.Thread(target=_send, args=(url, hostile, False, 0.0, Counter()), daemon=True) for _ in range(4)
    ]
    with _asking(senders):
        time.sleep(0.5)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return round(time.monotonic() - begin, 2)


@contextmanager
def _asking(senders: Sequence[threading.Thread]) -> Iterator[None]:
    for sender in senders:
        sender.start()
    yield
    for sender in senders:
        sender.join(5)


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("attack_service", __doc__, photo="the normal photo")
    add = parser.add_argument
    add("--seconds", type=float, default=10.0, help="seconds for each kind (default %(default)s)")
    add("--only", nargs="+", default=[""], metavar="PART", help="attacks whose name holds one of these (default: all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
