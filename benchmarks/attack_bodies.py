"""`python -m benchmarks.attack_bodies`: thousands of damaged bodies for `POST /localize`, each known by its number.

Half of them are a right form around a damaged picture, half a damaged form around a right picture; some have further
fields. The number of a body is the seed of its damage, so that any can be made again. Every answer must be 2xx, 4xx or
503, and after every five hundredth body a right photo must be answered. Ends with 1 where that did not hold.

    python -m benchmarks.attack_bodies --index clnet-data/demo/index --photo PANORAMA
"""

from __future__ import annotations

import argparse
import http.client
import io
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from benchmarks.bench_service import start_service
from benchmarks.lean_client import LeanClient, form_of
from benchmarks.mutations import draw_mutations, mutated
from benchmarks.record import write_record
from benchmarks.service_flags import service_parser

_FORMS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")
_BOUNDARIES = ("b7f3", "----WebKitFormBoundaryA1b2", "'", "=", "x" * 70)
_FIELDS = {
    "top_k": ("1", "100", "0", "-1", "x", "", "1e3"),
    "heading_deg": ("unknown", "0", "361", "nan", "\u0663"),
    "fov_deg": ("360", "70", "1e-9", "0", "inf"),
    "bbox": ("-180,-90,180,90", "0,0,0,0", "1,2,3", "a,b,c,d"),
    "near": ("-48.86,-123.40", "91,0", ","),
    "radius_m": ("1000", "0", "1e300"),
    "since": ("2026-01-01", "0000-00-00"),
    "other": ("value",),
}
_GOOD_EVERY = 500
_KEPT_EXAMPLES = 20


@dataclass
class Tally:
    """What came back, and the numbers of bodies that were answered as none may be."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, str]] = field(default_factory=list)
    good: Counter[str] = field(default_factory=Counter)


def main(argv: Sequence[str] | None = None) -> int:
    """Attack and record."""
    args = _parser().parse_args(argv)
    good = form_of(args.photo.read_bytes())
    tally = Tally()
    with start_service(args.index, args.checkpoint, args.service_flags) as (url, process):
        _send_all(url, good, iter(range(args.first, args.first + args.count)), tally, args.clients)
        alive = process.poll() is None
    record: dict[str, Any] = {
        "first": args.first,
        "count": args.count,
        "answers": dict(tally.answers.most_common()),
        "wrong": tally.wrong[:_KEPT_EXAMPLES],
        "good_photos_between": dict(tally.good),
        "alive_after": alive,
    }
    print(record)
    print(write_record("attack-bodies", record))
    return 0 if alive and not tally.wrong and set(tally.good) == {"200"} else 1


def body_of(number: int) -> tuple[bytes, dict[str, str]]:
    """The damaged body of a number, and its headers; the same on every machine with the same encoders."""
    generator = random.Random(number)
    boundary, picture = generator.choice(_BOUNDARIES), _pictures()[generator.randrange(len(_FORMS))]
    names = generator.sample(list(_FIELDS), generator.choice((0, 0, 1, 2)))
    fields = [(name, generator.choice(_FIELDS[name])) for name in names]
    _, mutations = draw_mutations(number)
    if generator.random() < 0.5:
        body = _form(boundary, mutated(picture, mutations), fields)
    else:
        body = mutated(_form(boundary, picture, fields), mutations)
    return body, {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}


def _form(boundary: str, picture: bytes, fields: Sequence[tuple[str, str]]) -> bytes:
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields]
    head = b'Content-Disposition: form-data; name="panorama"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in (*parts, head + picture)) + mark + b"--\r\n"


@cache
def _pictures() -> tuple[bytes, ...]:
    """A small panorama in every form that is accepted."""
    pillow_heif.register_heif_opener()
    pixels = np.random.default_rng(0).integers(0, 255, (32, 64, 3), dtype=np.uint8)
    return tuple(_encoded(Image.fromarray(pixels), form) for form in _FORMS)


def _encoded(image: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def _send_all(url: str, good: bytes, numbers: Iterator[int], tally: Tally, clients: int) -> None:
    lock = threading.Lock()

    def client() -> None:
        with LeanClient(url) as session:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                answer = _answer(session, *body_of(number))
                after = _answer(session, good, None) if number % _GOOD_EVERY == _GOOD_EVERY - 1 else None
                with lock:
                    tally.answers[answer] += 1
                    if not (answer[0] in "24" or answer == "503"):
                        tally.wrong.append((number, answer))
                    if after is not None:
                        tally.good[after] += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _answer(session: LeanClient, body: bytes, headers: dict[str, str] | None) -> str:
    """The status, or the error in its place."""
    try:
        return str(session.post(body, headers))
    except (OSError, http.client.HTTPException) as error:
        session.reconnect()
        return type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("attack_bodies", __doc__, photo="a right photo, asked for in between")
    add = parser.add_argument
    add("--first", type=int, default=0, help="number of the first body (default %(default)s)")
    add("--count", type=int, default=10_000, help="how many bodies (default %(default)s)")
    add("--clients", type=int, default=4, help="at once (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
