"""Localizations a second and their latency at several numbers of clients, beside the bare forward pass.

Starts `python -m service` as a process of its own on a free port, posts the same photo from threads that each keep
one connection (and says how much CPU they take of the same cores), prints a table and writes `results/service.json`:
as it comes, with photos never joined, and where its line is always full. Two yardsticks are measured in the same run,
in this process while nothing else runs: the bare forward pass, one canvas at a time and at its best batch size, with no
decoding, no HTTP, no search; and whole photos decoded, laid, embedded at that batch size and searched back to back.

    python -m benchmarks.bench_service --index clnet-data/demo/index --photo PANORAMA
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import httpx
import numpy as np

from benchmarks.lean_client import LeanClient, form_of
from benchmarks.processes import cpu_seconds_of
from benchmarks.record import write_record
from benchmarks.served import free_port, wait_until_answered
from benchmarks.service_flags import service_parser
from clnet_geolocalization import command as own_command


@dataclass(frozen=True)
class Load:
    """What a number of clients saw: answers by outcome, rate, latency of the good ones and of refusals in milliseconds.

    `cpu_ms` is what the service and its processes took for each answer, refusals included; `client_cpu_ms` what the
    clients took beside them; `batch` how many photos were embedded at once, on average.
    """

    clients: int
    answered: int
    refused: int
    failed: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    refusal_p50_ms: float | None
    cpu_ms: float
    client_cpu_ms: float
    batch: float


@dataclass(frozen=True)
class Bare:
    """Forward passes of one canvas: rate and median in milliseconds."""

    per_s: float
    p50_ms: float


@dataclass(frozen=True)
class Yardsticks:
    """What a service could reach: its best batch size, bare passes of it and whole photos a second."""

    batch: int
    bare_per_s: float
    whole_per_s: float


@dataclass(frozen=True)
class Run:
    """One service: seconds from its start until it was ready, what each load saw, and half of the best rate, evenly."""

    ready_s: float
    loads: list[Load]
    half: Load | None


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = _parser().parse_args(argv)
    photo = args.photo.read_bytes()
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    bare = bare_forward(args.checkpoint, args.seconds)
    yardsticks = back_to_back(args.index, args.checkpoint, photo, args.seconds)
    room = ["--queue-limit", str(2 * max(args.clients))]
    runs = {
        "joined": serve_and_load(args, photo, args.clients, room),
        "one by one": serve_and_load(args, photo, args.clients, [*room, "--max-batch", "1"]),
        "line full": serve_and_load(args, photo, [32], ["--queue-limit", "1"]),
    }
    print(table(bare, yardsticks, runs))
    print(write_record("service", report(args, bare, yardsticks, runs)))
    return 0


def serve_and_load(args: argparse.Namespace, photo: bytes, clients: Sequence[int], flags: Sequence[str]) -> Run:
    """Start a service with some flags, and put it under each load."""
    began = time.perf_counter()
    with start_service(args.index, args.checkpoint, [*flags, *args.service_flags]) as (url, process):
        ready_s = time.perf_counter() - began
        put_under_load(url, photo, clients=1, seconds=min(2.0, args.seconds), pid=process.pid)  # warm
        loads = [put_under_load(url, photo, clients=n, seconds=args.seconds, pid=process.pid) for n in clients]
        half = None
        if len(clients) > 1:
            pace_s = 2.0 / max(load.per_s for load in loads)
            half = put_under_load(url, photo, clients=64, seconds=args.seconds, pid=process.pid, pace_s=pace_s)
    return Run(round(ready_s, 2), loads, half)


def bare_forward(checkpoint: str, seconds: float) -> Bare:
    """Encode neutral canvases one by one for some seconds."""
    from model.network.encoder import Encoder

    encoder = Encoder.load(checkpoint)
    width, height = encoder.inputs.ground_size_px
    canvas = np.full((1, height, width, 3), 128, np.uint8)
    encoder.encode_ground(canvas)
    took: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        encoder.encode_ground(canvas)
        took.append(time.perf_counter() - begin)
    return Bare(len(took) / sum(took), 1000 * float(np.median(took)))


def back_to_back(index: Path, checkpoint: str, photo: bytes, seconds: float) -> Yardsticks:
    """Work off batches of a photo for some seconds: their forward passes alone, then all that an answer needs."""
    from indexer.localization.localizer import Localizer
    from service.first_start.layout import best_batch

    localizer = Localizer.open(index, checkpoint=checkpoint)
    batch = best_batch(localizer.encoder, largest=32)
    width, height = localizer.encoder.inputs.ground_size_px
    canvases = np.full((batch, height, width, 3), 128, np.uint8)
    bare_per_s = batch * _rate(lambda: localizer.encoder.encode_ground(canvases), seconds)
    whole_per_s = batch * _rate(
        lambda: list(localizer.answer_each([localizer.prepare(photo) for _ in range(batch)], [5] * batch)), seconds
    )
    return Yardsticks(batch, bare_per_s, whole_per_s)


def _rate(work: Callable[[], object], seconds: float) -> float:
    """How often a second something can be done."""
    work()
    times, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        work()
        times += 1
    return times / (time.perf_counter() - begin)


@contextmanager
def start_service(
    index: Path, checkpoint: str, flags: Sequence[str], *, wait: bool = True
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a service, ready unless nobody waits for that, and its process."""
    port = free_port()
    command = [*own_command("service"), "--index", str(index), "--checkpoint", checkpoint, "--lame-duck-s", "0"]
    process = subprocess.Popen([*command, "--port", str(port), "--log-level", "error", *flags])
    try:
        url = f"http://127.0.0.1:{port}"
        if wait:
            wait_until_answered(f"{url}/readyz", process=process)
        yield url, process
    finally:
        process.terminate()
        process.wait(30)


def put_under_load(
    url: str, photo: bytes, *, clients: int, seconds: float, pid: int, pace_s: float | None = None
) -> Load:
    """Let clients post the photo for some seconds.

    Args:
        url: of the service.
        photo: what to post.
        clients: at once, or at most.
        seconds: how long.
        pid: of the service.
        pace_s: seconds from one photo to the next, whatever becomes of it, and latency counts from the time at which it
            was due; when left out, each client posts as soon as its last answer is there.
    """
    took: list[float] = []
    refusals: list[float] = []
    statuses: list[int] = []
    body = form_of(photo)
    rows_before, cpu_before_s, own_before_s = batches(url), cpu_seconds_of(pid), time.process_time()
    numbers = count()
    start = time.perf_counter()
    end = start + seconds

    def turn() -> float:
        """When the next photo is due; it is waited for."""
        if pace_s is None:
            return time.perf_counter()
        due = start + next(numbers) * pace_s
        if due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
        return due

    def client() -> None:
        with LeanClient(url) as session:
            while (begin := turn()) < end:
                status = session.post(body)
                statuses.append(status)
                if status == 200:
                    took.append(time.perf_counter() - begin)
                elif status == 503:
                    refusals.append(time.perf_counter() - begin)
                    time.sleep(0.05)  # a refused client that asks again at once would only measure refusals

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.perf_counter() - start
    own_cpu_s = time.process_time() - own_before_s
    rows, passes = np.subtract(batches(url), rows_before)
    p50, p95, p99 = 1000 * np.percentile(took, [50, 95, 99]) if took else (np.nan,) * 3
    cpu_ms = 1000 * (cpu_seconds_of(pid) - cpu_before_s) / max(1, len(statuses))
    return Load(
        clients=clients,
        answered=len(took),
        refused=len(refusals),
        failed=len(statuses) - len(took) - len(refusals),
        per_s=len(took) / wall_s,
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        refusal_p50_ms=1000 * float(np.median(refusals)) if refusals else None,
        cpu_ms=cpu_ms,
        client_cpu_ms=1000 * own_cpu_s / max(1, len(statuses)),
        batch=float(rows / passes) if passes else 0.0,
    )


def batches(url: str) -> tuple[float, float]:
    """Photos that a service has embedded, and in how many forward passes."""
    told = httpx.get(f"{url}/metrics", timeout=60).text
    found = {
        kind: float(value) for kind, value in re.findall(r"^clnet_batch_rows_(sum|count) (\S+)", told, re.MULTILINE)
    }
    return found["sum"], found["count"]


def table(bare: Bare, yardsticks: Yardsticks, runs: Mapping[str, Run]) -> str:
    """What was measured, as Markdown."""
    times, costs = ("a second", "of back to back", "p50 ms", "p95 ms", "p99 ms"), ("CPU ms", "of clients", "batch")
    names = ("photos", "clients", *times, *costs, "refused", "failed")
    rows = ["".join(f"| {name} " for name in names) + "|", "|" + "---|" * len(names)]
    rows += [
        f"| {name} | {load.clients} | {load.per_s:.1f} | {load.per_s / yardsticks.whole_per_s:.0%} | {load.p50_ms:.0f} "
        f"| {load.p95_ms:.0f} | {load.p99_ms:.0f} | {load.cpu_ms:.1f} | {load.client_cpu_ms:.1f} | {load.batch:.1f} "
        f"| {load.refused} | {load.failed} |"
        for name, load in _named(runs)
    ]
    head = (
        f"bare forward pass: {bare.per_s:.1f}/s alone, median {bare.p50_ms:.1f} ms; {yardsticks.bare_per_s:.1f}/s in "
        f"batches of {yardsticks.batch}; whole photos back to back: {yardsticks.whole_per_s:.1f}/s"
    )
    return f"{head}\n\n" + "\n".join(rows)


def _named(runs: Mapping[str, Run]) -> Iterator[tuple[str, Load]]:
    for name, run in runs.items():
        yield from ((name, load) for load in run.loads)
        if run.half is not None:
            yield f"{name}, half of that rate", run.half


def report(args: argparse.Namespace, bare: Bare, yardsticks: Yardsticks, runs: Mapping[str, Run]) -> dict[str, object]:
    """What was measured, and on what."""
    return {
        "photo_bytes": args.photo.stat().st_size,
        "seconds_each": args.seconds,
        "bare_forward": asdict(bare),
        "yardsticks": asdict(yardsticks),
        "runs": {name: asdict(run) for name, run in runs.items()},
        "cores": sorted(os.sched_getaffinity(0)),
    }


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("bench_service", __doc__, photo="panorama to post")
    add = parser.add_argument
    add("--clients", type=int, nargs="+", default=[1, 8, 32, 128], help="numbers of clients (default %(default)s)")
    add("--seconds", type=float, default=20.0, help="seconds for each number of clients (default %(default)s)")
    add("--core", type=int, help="keep all to this core, where another job owns the rest")
    return parser


if __name__ == "__main__":
    sys.exit(main())
