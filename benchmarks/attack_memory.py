"""`python -m benchmarks.attack_memory`: the memory of the service while sixteen of the worst uploads are there at once.

The largest pictures that are let in, of the formats that take most bytes a pixel, some of them filled up to the
largest body with bytes that mean nothing. The peak of each kind, beyond what the service holds when nobody asks, must
stay below the bound that `service.memory_bound` computes from the settings. Ends with 1 where it does not, or where an
answer was neither 200, 4xx nor 503.

    python -m benchmarks.attack_memory --index clnet-data/demo/index --photo PANORAMA
"""

from __future__ import annotations

import argparse
import http.client
import io
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pillow_heif
from PIL import Image

from benchmarks.bench_service import start_service
from benchmarks.hostile_photos import HOSTILE
from benchmarks.lean_client import LeanClient, form_of
from benchmarks.processes import memory_of
from benchmarks.record import write_record
from benchmarks.service_flags import service_parser
from service.memory_bound import most_bytes_of_photos
from service.settings import Settings

_AT_ONCE = 16
_EVERY_S = 0.02
_LARGEST = (11_300, 5_650)
"""Just below 64 megapixels."""
_BODY = 31 << 20


def main(argv: Sequence[str] | None = None) -> int:
    """Attack and record."""
    args = _parser().parse_args(argv)
    bound = most_bytes_of_photos(Settings(index=args.index, workers=args.workers))
    flags = ["--workers", str(args.workers), "--deadline-s", str(args.deadline), *args.service_flags]
    with start_service(args.index, args.checkpoint, flags) as (url, process):
        with LeanClient(url) as client:
            good = form_of(args.photo.read_bytes())
            for _ in range(20):
                client.post(good)  # warm
        idle = memory_of(process.pid)
        kinds = [_peak(url, process.pid, idle, name, make()) for name, make in KINDS.items()]
        with LeanClient(url) as client:
            alive = process.poll() is None and client.post(good) == 200
    record: dict[str, Any] = {
        "at_once": _AT_ONCE,
        "workers": args.workers,
        "idle_mib": idle >> 20,
        "bound_beyond_idle_mib": bound >> 20,
        "kinds": kinds,
        "alive_after": alive,
    }
    print(write_record("attack-memory", record))
    held = all(row["beyond_idle_mib"] <= bound >> 20 and not row["wrong"] for row in kinds)
    return 0 if alive and held else 1


def _peak(url: str, pid: int, idle: int, name: str, photo: bytes) -> dict[str, Any]:
    """What sixteen of a kind were answered, and the most memory seen meanwhile."""
    body = form_of(photo)
    answers: Counter[str] = Counter()
    threads = [threading.Thread(target=_send, args=(url, body, answers)) for _ in range(_AT_ONCE)]
    began, peak = time.monotonic(), 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, memory_of(pid))
        time.sleep(_EVERY_S)
    row = {
        "kind": name,
        "bytes": len(photo),
        "answers": dict(answers.most_common()),
        "wrong": sorted(answer for answer in answers if not (answer in ("200", "503") or answer.startswith("4"))),
        "seconds": round(time.monotonic() - began, 1),
        "beyond_idle_mib": max(0, peak - idle) >> 20,
    }
    print(row, flush=True)
    return row


def _send(url: str, body: bytes, answers: Counter[str]) -> None:
    try:
        with LeanClient(url, timeout_s=600.0) as client:
            answers[str(client.post(body))] += 1
    except (OSError, http.client.HTTPException) as error:
        answers[type(error).__name__] += 1


def _large(form: str, **options: Any) -> bytes:
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.new("RGB", _LARGEST, (90, 120, 60)).save(buffer, form, **options)
    return buffer.getvalue()


def _filled(photo: bytes) -> bytes:
    return photo + b"\0" * (_BODY - len(photo))


KINDS: dict[str, Callable[[], bytes]] = {
    "JPEG of 64 megapixels, 31 MiB": lambda: _filled(_large("JPEG")),
    "JPEG of 64 megapixels, progressive": lambda: _large("JPEG", progressive=True),
    "WebP of 64 megapixels": HOSTILE["WebP of 64 megapixels, flat"],
    "PNG of 64 megapixels, 31 MiB": lambda: _filled(HOSTILE["PNG of 64 megapixels, flat"]()),
    "TIFF of 64 megapixels, 31 MiB": lambda: _filled(HOSTILE["TIFF of 64 megapixels in strips"]()),
    "AVIF of 64 megapixels": lambda: _large("AVIF", speed=10),
    "HEIC of 64 megapixels": lambda: _large("HEIF", quality=30),
}
"""Name -> the photo; made when it is asked for."""


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("attack_memory", __doc__, photo="a right photo, asked for before and after")
    add = parser.add_argument
    add("--workers", type=int, default=2, help="decoders for common photos (default %(default)s)")
    add("--deadline", type=float, default=30.0, help="seconds a request may take (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
