"""`python -m benchmarks.attack_service`: hostile uploads, twenty at once, beside a normal photo asked for throughout.

Starts a service of its own, attacks it with one kind after the other, and records how long the normal photo took, what
the hostile ones were answered, and how much memory the service and its processes took. Ends with 1 where a normal photo
took longer than the bound, an answer was neither 2xx, 4xx nor 503, or the process died.

    python -m benchmarks.attack_service --index clnet-data/demo/index --photo PANORAMA
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.bench_service import start_service
from benchmarks.hostile_photos import HOSTILE
from benchmarks.record import write_record

_AT_ONCE = 20
_BOUND_S = 2.0
_EVERY_S = 0.25
_LEAVE_AFTER_S = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Attack and record."""
    args = _parser().parse_args(argv)
    photo = args.photo.read_bytes()
    with start_service(args.index, args.checkpoint, args.service_flags) as (url, process):
        _ask(url, photo)  # warm
        calm = [_ask(url, photo)[1] for _ in range(20)]
        rows = [_attack(url, process.pid, photo, name, make(), args.seconds) for name, make in HOSTILE.items()]
        alive = process.poll() is None and _ask(url, photo)[0] == 200
        stopped_s = _stop_under_attack(url, process, HOSTILE["WebP of 64 megapixels, flat"]())
    record = {"bound_s": _BOUND_S, "at_once": _AT_ONCE, "seconds_each": args.seconds, "kinds": rows}
    record |= {"calm_median_s": round(sorted(calm)[10], 3), "calm_max_s": round(max(calm), 3)}
    record |= {"alive_after": alive, "seconds_from_sigterm_to_end": stopped_s, "load_average": os.getloadavg()}
    print(write_record("attack-service", record))
    late = [
        row["kind"] for row in rows if row["normal_max_s"] > _BOUND_S or row["normal_failed"] or row["other_answers"]
    ]
    print(f"late or wrong: {late}; alive: {alive}; stopped in {stopped_s:.1f} s")
    return 1 if late or not alive else 0


def _attack(url: str, pid: int, photo: bytes, name: str, hostile: bytes, seconds: float) -> dict[str, Any]:
    answers: Counter[str] = Counter()
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_send, args=(url, hostile, n % 4 == 0, end, answers)) for n in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    took, failed, peak = _normal(url, pid, photo, end)
    for thread in threads:
        thread.join()
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


def _send(url: str, hostile: bytes, leaves: bool, end: float, answers: Counter[str]) -> None:
    """One attacker, who asks again and again; or leaves before there can be an answer."""
    timeout = httpx.Timeout(60, read=_LEAVE_AFTER_S if leaves else 60)
    with httpx.Client(base_url=url, timeout=timeout) as client:
        while time.monotonic() < end:
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
        peak = max(peak, _memory(pid))
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


def _memory(pid: int) -> int:
    """Bytes that a process and all below it hold, what they share divided among them."""
    total = 0
    for each in [pid, *_below(pid)]:
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def _below(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack_service", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--index", type=Path, required=True, help="index folder to serve")
    add("--photo", type=Path, required=True, help="the normal photo")
    add("--checkpoint", default="demo", help="encoder bundle (default %(default)s)")
    add("--seconds", type=float, default=10.0, help="seconds for each kind (default %(default)s)")
    add("--service-flags", nargs=argparse.REMAINDER, default=[], help="further flags of `python -m service`, last")
    return parser


if __name__ == "__main__":
    sys.exit(main())
